import { anything, boolean, decode, list, object, optional, string } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import type { JsonValue } from "../base/json.ts";
import { printable } from "../base/printable.ts";
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
  /** Send it also when the same build is recorded already. */
  readonly again: boolean;
  /** Milliseconds for one exchange. */
  readonly deadlineMs: number;
};

const RECORD = {
  id: string(),
  build_status: string(),
  working_tree_hash: optional(string()),
};
const BUILD = object(RECORD);
const LISTED = object({
  ...RECORD,
  image_name: string(),
  image_tag: optional(string()),
  agent_name: optional(string()),
  agent_id: optional(string()),
  platform: optional(string()),
  source_repo: optional(string()),
  source_commit: optional(string()),
  source_ref: optional(string()),
  source_subpath: optional(string()),
  source_dirty: optional(boolean()),
  context_archive: optional(object({ sha256: string() })),
});
const MAX_LISTED = 1_000;
const LISTING = object({ items: list(anything(), MAX_LISTED) });

/** The build that an upload was answered with. Throws Failure `answer_malformed`. */
export function acceptedBuild(answer: JsonValue): { id: string; build_status: string; hash: string | null } {
  const build = decode(BUILD, withoutNulls(answer));
  if (build.ok) {
    const { id, build_status: status, working_tree_hash: hash } = build.value;
    return { id, build_status: status, hash: hash ?? null };
  }
  throw new Failure(
    "answer_malformed",
    `the answer of the build API is no build: ${build.problems.join("; ")}`,
  );
}

/** States in which a build came to nothing, or is about to. Sending it anew is then what the caller wants. */
const ENDED = new Set([
  "failed",
  "cancelling",
  "cancelled",
  "deleting",
  "delete_failed",
  "timed_out",
  "error",
]);

/**
 * The recorded build that is the one to be submitted, or null. It must agree in everything that a record shows; what
 * a record never shows, such as the values of build arguments, makes every submission a new one. `archiveSha256` is of
 * the archive whose tree hash does not say which Dockerfile is built; null where it does.
 */
export function recordedBuild(
  listing: JsonValue,
  submission: Submission,
  fields: SourceFields,
  archiveSha256: string | null,
): { id: string; build_status: string } | null {
  if (Object.keys(submission.buildArgs).length > 0) return null;
  const decoded = decode(LISTING, listing);
  if (!decoded.ok) return null;
  for (const item of decoded.value.items) {
    const found = decode(LISTED, withoutNulls(item));
    if (!found.ok || ENDED.has(found.value.build_status)) continue;
    if (archiveSha256 !== null && found.value.context_archive?.sha256 !== archiveSha256) continue;
    const wanted: Readonly<Record<string, string | boolean | undefined>> = {
      ...NO_FIELDS,
      ...fields,
      image_name: submission.imageName,
      image_tag: submission.imageTag ?? "latest",
      platform: submission.platform,
      ...submission.agent,
    };
    const shown: Readonly<Record<string, unknown>> = { image_tag: "latest", ...found.value };
    if (Object.entries(wanted).every(([name, value]) => shown[name] === value)) {
      return { id: found.value.id, build_status: found.value.build_status };
    }
  }
  return null;
}

const NO_FIELDS: Readonly<Record<string, undefined>> = {
  source_repo: undefined,
  source_commit: undefined,
  source_ref: undefined,
  source_subpath: undefined,
  source_dirty: undefined,
  working_tree_hash: undefined,
};

/** Members that are null are as good as absent. */
function withoutNulls(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

/** An answer that refuses, as a failure. */
export function refusalOf(status: number, body: Uint8Array): Failure {
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
