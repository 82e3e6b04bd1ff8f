import { Failure } from "../base/failure.ts";
import type { Capture } from "./capture.ts";
import { sourceFields } from "./capture-document.ts";
import { captureStatement } from "./capture-statement.ts";

export const CAPTURE_FORMATS = [
  "json",
  "fields",
  "env",
  "github",
  "build-info",
  "labels",
  "buildx",
  "statement",
] as const;
export type CaptureFormat = (typeof CAPTURE_FORMATS)[number];

export function isCaptureFormat(text: string): text is CaptureFormat {
  return CAPTURE_FORMATS.some((format) => format === text);
}

/** What a format takes from outside the capture. */
export type Circumstances = {
  /** Words that no value can have foreseen, for the end of a value that may have any text. */
  readonly nonce: string;
  readonly now: Date;
  /** The reproducible-builds time, when it is set. */
  readonly sourceDate: Date | null;
  readonly withAuthor: boolean;
};

/** The capture as scripts take it, with its last line break. Throws Failure when a format cannot say it. */
export function formatCapture(
  capture: Capture,
  format: Exclude<CaptureFormat, "json">,
  around: Circumstances,
): string {
  return WRITERS[format](capture, around);
}

const WRITERS: Readonly<
  Record<Exclude<CaptureFormat, "json">, (capture: Capture, around: Circumstances) => string>
> = {
  fields: (capture) => `${JSON.stringify(sourceFields(capture))}\n`,
  env: envLines,
  github: (capture, { nonce }) => githubLines(capture, nonce),
  "build-info": (capture, around) => `${JSON.stringify(buildInfo(capture, around))}\n`,
  labels: (capture, around) => keyLines(labels(capture, around)),
  buildx: (capture) => keyLines(buildxAttributes(capture)),
  statement: (capture) => `${JSON.stringify(captureStatement(capture))}\n`,
};

/** `NAME='value'` lines for eval: single quotes, so that a branch named `$(rm -rf ~)` stays a name. */
function envLines(capture: Capture): string {
  return Object.entries(sourceFields(capture))
    .map(([name, value]) => `${name.toUpperCase()}=${shellQuoted(String(value))}\n`)
    .join("");
}

function shellQuoted(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

/** Lines to append to the file that `$GITHUB_OUTPUT` names: a value may have line breaks, and no end of its own. */
function githubLines(capture: Capture, nonce: string): string {
  const { digests, matchesCommit, git } = capture;
  const values: Readonly<Record<string, string | boolean | null | undefined>> = {
    ...sourceFields(capture),
    git_tree: digests.git_tree.value,
    dir_hash: digests.dir_hash.value,
    tar_sha256: digests.tar_sha256.value,
    matches_commit: matchesCommit.value,
    pushed: git?.pushed.value,
    ref_full: git?.refFull.value,
  };
  const end = `waybill_${nonce}`;
  return Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}<<${end}\n${String(value)}\n${end}\n`)
    .join("");
}

/** The names of the original's registration metadata; unknown ones are absent. */
function buildInfo(capture: Capture, around: Circumstances): Readonly<Record<string, string | boolean>> {
  const fields = sourceFields(capture);
  const author = around.withAuthor ? capture.git?.object?.author : undefined;
  const named: Readonly<Record<string, string | boolean | undefined>> = {
    repo: fields.source_repo,
    commit_hash: fields.source_commit,
    branch_name: fields.source_ref,
    subpath: fields.source_subpath,
    working_tree_hash: fields.working_tree_hash,
    dirty: fields.source_dirty,
    author_name: author?.name,
    author_email: author?.email,
    // As the original writes it: with an offset and no Z.
    build_timestamp: (around.sourceDate ?? around.now).toISOString().replace("Z", "+00:00"),
  };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/**
 * The commit, with `-dirty` behind it unless it is known that what ships is that commit. Whoever cannot tell must not
 * say that it is.
 */
function revision(capture: Capture): string | null {
  const { source_commit: commit, source_dirty: dirty } = capture.coordinates;
  if (commit.value === null) return null;
  const { value: matches } = capture.matchesCommit;
  const exact = matches ?? dirty.value === false;
  return exact ? commit.value : `${commit.value}-dirty`;
}

/** Labels and annotations of an image, by the names of the OCI image specification. */
function labels(capture: Capture, { sourceDate }: Circumstances): Readonly<Record<string, string | null>> {
  const built = revision(capture);
  const version = built?.endsWith("-dirty") === false ? capture.git?.tags.at(-1) : undefined;
  return {
    "org.opencontainers.image.source": sourceUrl(capture),
    "org.opencontainers.image.revision": built,
    "org.opencontainers.image.version": version ?? null,
    "org.opencontainers.image.created": sourceDate?.toISOString().replace(".000Z", "Z") ?? null,
  };
}

/** The frontend attributes by which BuildKit records where a local context comes from. */
function buildxAttributes(capture: Capture): Readonly<Record<string, string | null>> {
  const commit = capture.coordinates.source_commit.value;
  return {
    "vcs:source": sourceUrl(capture),
    "vcs:revision": revision(capture),
    "vcs:localdir:context": commit === null ? null : (capture.coordinates.source_subpath.value ?? "."),
  };
}

/** Null with a port of its own: what is spoken there is not known, and a guess would be a wrong address. */
function sourceUrl(capture: Capture): string | null {
  const repo = capture.coordinates.source_repo.value;
  return repo === null || /^[^/]*:\d+\//u.test(repo) ? null : `https://${repo}`;
}

/** `key=value`, one a line. Throws Failure for a value that would be two lines. */
function keyLines(values: Readonly<Record<string, string | null>>): string {
  return Object.entries(values)
    .flatMap(([name, value]) => (value === null ? [] : [`${name}=${oneLine(name, value)}\n`]))
    .join("");
}

function oneLine(name: string, value: string): string {
  if (!/[\n\r]/u.test(value)) return value;
  throw new Failure("input_invalid", `${name} has a line break, which this format cannot say`, {
    hint: "take another --format, or rename the folder",
  });
}
