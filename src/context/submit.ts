import { Failure } from "../base/failure.ts";
import { parseJson } from "../base/json.ts";
import { decode, object, optional, string } from "../base/decode.ts";
import { LIMITS } from "../base/limits.ts";
import { printable, quoted } from "../base/printable.ts";
import { request } from "../host/http.ts";
import type { SourceFields } from "./capture-document.ts";

/** What the build API wants to know beside the source fields. */
export type Submission = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly imageName: string;
  readonly imageTag: string | undefined;
  readonly agent: { readonly agent_name: string } | { readonly agent_id: string };
  readonly platform: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
};

export type SubmittedBuild = { readonly id: string; readonly build_status: string };

const BUILD = object({ id: string(), build_status: string(), working_tree_hash: optional(string()) });

/**
 * Uploads the archive as a build record. Sent once: a repeated POST would make a second build. Throws Failure; the
 * record counts only when the answer is a build with an id and with the hash that was sent.
 */
export async function submitBuild(
  submission: Submission,
  fields: SourceFields,
  archivePath: string,
  stop: AbortSignal,
): Promise<SubmittedBuild> {
  const archive = Bun.file(archivePath);
  if (archive.size > LIMITS.contextArchiveBytes) {
    throw new Failure(
      "request_rejected",
      `the archive has ${archive.size} bytes; the build API takes ${LIMITS.contextArchiveBytes}`,
      {
        hint: "leave large files out with .dockerignore; nothing was sent",
      },
    );
  }
  const answer = await request({
    method: "POST",
    url: new URL("/v5/builds", submission.url),
    headers: { accept: "application/json", ...submission.headers },
    body: formOf(submission, fields, archive),
    deadlineMs: submission.deadlineMs,
    maxBytes: LIMITS.apiAnswerBytes,
    stop,
  });
  if (answer.status !== 200 && answer.status !== 201) throw refusal(answer.status, answer.body);
  const value = parseJson(answer.body, { what: "the answer of the build API", code: "answer_not_json" });
  const build = decode(BUILD, value);
  if (!build.ok) {
    throw new Failure(
      "answer_malformed",
      `the answer of the build API is no build: ${build.problems.join("; ")}`,
    );
  }
  const sent = fields.working_tree_hash;
  if (sent !== undefined && build.value.working_tree_hash !== sent) {
    throw new Failure(
      "response_mismatch",
      `the build API recorded the hash ${quoted(build.value.working_tree_hash ?? "")}; ${quoted(sent)} was sent`,
    );
  }
  return { id: build.value.id, build_status: build.value.build_status };
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

function refusal(status: number, body: Uint8Array): Failure {
  const details = { serverText: printable(new TextDecoder().decode(body)) };
  if (status === 401 || status === 403) {
    return new Failure(status === 401 ? "unauthorized" : "forbidden", `the build API answered ${status}`, {
      ...details,
      hint: "check the credential that --token-env or --api-key-env names, and its scope",
    });
  }
  if (status >= 300 && status < 400)
    return new Failure("redirect_refused", `the build API answered ${status}`);
  if (status === 429) return new Failure("rate_limited", "the build API answered 429", details);
  if (status >= 500) return new Failure("server_failed", `the build API answered ${status}`, details);
  return new Failure("request_rejected", `the build API answered ${status}`, details);
}
