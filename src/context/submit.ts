import { Failure } from "../base/failure.ts";
import { Hasher } from "../base/hashing.ts";
import { throwIfStopped } from "../base/interruption.ts";
import { parseJson } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { retryAfterMs } from "../base/retry-after.ts";
import type { Clock } from "../host/clock.ts";
import { request, type HttpAnswer } from "../host/http.ts";
import { acceptedBuild, recordedBuild, refusalOf, type Submission } from "./build-record.ts";
import type { SourceFields } from "./capture-document.ts";

export type SubmittedBuild = {
  readonly id: string;
  readonly build_status: string;
  /** It was recorded before, so nothing was sent. */
  readonly existing: boolean;
};

/** What is uploaded. */
export type SubmittedArchive = {
  readonly path: string;
  /** Whether the tree hash covers the Dockerfile: not one from elsewhere, nor which of several is chosen. */
  readonly isHashed: boolean;
};

/** How long a server that asks for patience gets it, and how long one that is not there. */
const PATIENCE_MS = 120_000;
const CONNECT_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
/** Nothing reached the server: trying again cannot make a second build. */
const NEVER_SENT = new Set(["name_not_resolved", "connection_failed"]);
/** Refusals for now: of all others `Retry-After` says nothing about sending it again. */
const BUSY: ReadonlySet<number> = new Set([429, 503]);
/** Something did, and nobody knows what became of it. */
const OPEN_OUTCOME = new Set(["connection_lost", "deadline_passed", "server_failed"]);

/**
 * Records a build, unless the same one is recorded already. Throws Failure; a record counts only when the answer is a
 * build with an id and with the hash that was sent.
 */
export async function submitBuild(
  submission: Submission,
  known: SourceFields,
  { path, isHashed }: SubmittedArchive,
  clock: Clock,
  stop: AbortSignal,
): Promise<SubmittedBuild> {
  const fields = formFields(known);
  const archive = Bun.file(path);
  if (archive.size > LIMITS.contextArchiveBytes) {
    throw new Failure(
      "request_rejected",
      `the archive has ${archive.size} bytes; the build API takes ${LIMITS.contextArchiveBytes}`,
      {
        hint: "leave large files out with .dockerignore; nothing was sent",
      },
    );
  }
  const sha256 = isHashed ? null : await sha256OfFile(archive);
  const before = submission.again ? "not_asked" : await findRecorded(submission, fields, sha256, stop);
  if (typeof before === "object" && before !== null) return { ...before, existing: true };
  try {
    return await upload(submission, fields, archive, clock, stop);
  } catch (error) {
    if (!(error instanceof Failure) || !OPEN_OUTCOME.has(error.code)) throw error;
    // It was not there before, so one that is there now is ours.
    const after = before === null ? await findRecorded(submission, fields, sha256, stop) : "not_asked";
    if (typeof after === "object" && after !== null) return { ...after, existing: false };
    if (error.code === "server_failed") throw error;
    throw new Failure("outcome_unknown", `the archive was sent and no answer came: ${error.message}`, {
      hint: "ask the build API for this working_tree_hash before sending it again",
      cause: error,
    });
  }
}

/** A form makes every line break a CR LF, and so another value: such a folder's name is left out, and not changed. */
function formFields(known: SourceFields): SourceFields {
  const { source_subpath: subpath, ...others } = known;
  return subpath !== undefined && /[\r\n]/u.test(subpath) ? others : known;
}

/** The recorded build, null when there is none, or that nobody could be asked: not every credential may read. */
async function findRecorded(
  submission: Submission,
  fields: SourceFields,
  archiveSha256: string | null,
  stop: AbortSignal,
): Promise<{ id: string; build_status: string } | null | "not_asked"> {
  const hash = fields.working_tree_hash;
  if (hash === undefined) return "not_asked";
  const url = new URL("/v5/builds", submission.url);
  url.searchParams.set("working_tree_hash", hash);
  url.searchParams.set("limit", "100");
  try {
    const answer = await request({
      method: "GET",
      url,
      headers: { accept: "application/json", ...submission.headers },
      deadlineMs: Math.min(submission.deadlineMs, 30_000),
      maxBytes: LIMITS.apiAnswerBytes,
      stop,
    });
    if (answer.status !== 200) return "not_asked";
    const listing = parseJson(answer.body, { what: "the list of builds", code: "answer_not_json" });
    return recordedBuild(listing, submission, fields, archiveSha256);
  } catch (error) {
    throwIfStopped(stop, "asking for recorded builds");
    if (error instanceof Failure) return "not_asked";
    throw error;
  }
}

async function sha256OfFile(file: Blob): Promise<string> {
  const hasher = new Hasher();
  for await (const piece of file.stream()) hasher.update(piece);
  return hasher.digest();
}

async function upload(
  submission: Submission,
  fields: SourceFields,
  archive: Blob,
  clock: Clock,
  stop: AbortSignal,
): Promise<SubmittedBuild> {
  const start = clock.now();
  for (let wait = FIRST_WAIT_MS; ; wait *= 2) {
    const answer = await post(submission, fields, archive, stop).catch((error: unknown) => {
      if (error instanceof Failure && NEVER_SENT.has(error.code)) return error;
      throw error;
    });
    if (!(answer instanceof Failure) && (answer.status === 200 || answer.status === 201)) {
      return accepted(answer, fields);
    }
    const refusal = answer instanceof Failure ? answer : refusalOf(answer.status, answer.body);
    const asked = answer instanceof Failure ? wait : askedToWait(answer);
    const budget = answer instanceof Failure ? CONNECT_MS : PATIENCE_MS;
    // A server that asks for no time, or for one that is over, would be sent the archive without a pause.
    const pause = asked === null ? null : Math.max(asked, wait);
    if (pause === null || clock.now() + pause > start + budget) throw refusal;
    await clock.sleep(pause, stop);
    throwIfStopped(stop, "waiting to submit again");
  }
}

/** Milliseconds, or null where nobody asks to send it again. */
function askedToWait({ status, headers }: HttpAnswer): number | null {
  return BUSY.has(status) ? retryAfterMs(headers, Date.now()) : null;
}

function accepted(answer: HttpAnswer, fields: SourceFields): SubmittedBuild {
  const value = parseJson(answer.body, { what: "the answer of the build API", code: "answer_not_json" });
  const { hash, ...build } = acceptedBuild(value);
  const sent = fields.working_tree_hash;
  if (sent !== undefined && hash !== sent) {
    throw new Failure(
      "response_mismatch",
      `the build API recorded the hash ${quoted(hash ?? "")}; ${quoted(sent)} was sent`,
    );
  }
  return { ...build, existing: false };
}

async function post(
  submission: Submission,
  fields: SourceFields,
  archive: Blob,
  stop: AbortSignal,
): Promise<HttpAnswer> {
  return request({
    method: "POST",
    url: new URL("/v5/builds", submission.url),
    headers: { accept: "application/json", ...submission.headers },
    body: formOf(submission, fields, archive),
    deadlineMs: submission.deadlineMs,
    maxBytes: LIMITS.apiAnswerBytes,
    stop,
  });
}

/** Only the six fields that every version of the API knows; unknown ones are absent, not empty. */
function formOf(submission: Submission, fields: SourceFields, archive: Blob): FormData {
  const form = new FormData();
  form.set("image_name", submission.imageName);
  for (const [name, value] of Object.entries(submission.agent)) form.set(name, value);
  if (submission.imageTag !== undefined) form.set("image_tag", submission.imageTag);
  if (submission.platform !== undefined) form.set("platform", submission.platform);
  if (Object.keys(submission.buildArgs).length > 0)
    form.set("build_args", JSON.stringify(submission.buildArgs));
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  form.set("context_archive", archive, "context.tar.gz");
  return form;
}
