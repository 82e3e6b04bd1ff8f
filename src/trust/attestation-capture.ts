import { isMap } from "../base/decode.ts";
import { Failure } from "../base/failure.ts";
import { instantOf } from "../base/instant.ts";
import type { JsonMap, JsonValue } from "../base/json.ts";
import { CAPTURE_TYPE } from "./attestation-types.ts";
import type { Statement, Subject } from "./statement.ts";

/** The schema of the documents that `waybill capture --json` prints. */
const CAPTURE_SCHEMA = "waybill.capture/v1";

/** What frames the document of a run and says nothing about the context. */
const FRAME: ReadonlySet<string> = new Set(["schema", "ok", "exit_code", "build", "error"]);

/** The names of in-toto's digest sets; the tree hash is not one of them and keeps its own. */
const CONTEXT_DIGESTS: Readonly<Record<string, string>> = {
  working_tree_hash: "working_tree_hash",
  git_tree: "gitTree",
  dir_hash: "dirHash",
};

/**
 * The statement of a capture: about the artifact that was made of it, when there is one, about the uncompressed tar,
 * and about the context itself. `at` is the signer's clock. Throws Failure `input_invalid`.
 */
export function captureStatement(capture: JsonValue, artifact: Subject | null, at: Date): Statement {
  if (!isMap(capture) || capture["schema"] !== CAPTURE_SCHEMA)
    throw new Failure("input_invalid", `the capture is not a document with the schema ${CAPTURE_SCHEMA}`, {
      hint: "write it with: waybill capture --json --out FILE",
    });
  // A capture that a --require flag refused must not be signed by the next line of the script.
  if (capture["ok"] !== true)
    throw new Failure("input_invalid", "the capture did not succeed, so there is nothing to attest", {
      hint: "look at its error, and capture again",
    });
  const context = contextSubjects(capture["digests"]);
  if (context.length === 0)
    throw new Failure("input_invalid", "the capture has no digest, so a statement would be about nothing");
  const subjects = [...(artifact === null ? [] : [artifact]), ...context];
  const predicate = Object.fromEntries(Object.entries(capture).filter(([name]) => !FRAME.has(name)));
  return {
    subjects: withoutRepeats(subjects),
    predicateType: CAPTURE_TYPE,
    predicate: { ...predicate, attested_at: at.toISOString() },
  };
}

function contextSubjects(digests: JsonValue | undefined): Subject[] {
  if (!isMap(digests)) return [];
  const of = (name: string): [string, string][] => {
    const value = digests[name];
    return typeof value === "string" ? [[CONTEXT_DIGESTS[name] ?? "sha256", value]] : [];
  };
  const tar = Object.fromEntries(of("tar_sha256"));
  const tree = Object.fromEntries(Object.keys(CONTEXT_DIGESTS).flatMap(of));
  return [
    { name: "context.tar", digest: tar },
    { name: "context", digest: tree },
  ].filter(({ digest }) => Object.keys(digest).length > 0);
}

/** An archive without compression is its own tar, and names must be different. */
function withoutRepeats(subjects: readonly Subject[]): Subject[] {
  const kept: Subject[] = [];
  for (const subject of subjects) {
    const { sha256 } = subject.digest;
    if (sha256 !== undefined && kept.some((other) => other.digest["sha256"] === sha256)) continue;
    const taken = kept.some(({ name }) => name === subject.name);
    kept.push(taken ? { ...subject, name: `capture:${subject.name}` } : subject);
  }
  return kept;
}

/** A fact that somebody only claimed (a CI variable, a flag) is not one that git observed. */
export type Stated = { readonly value: string; readonly claimed: boolean };

/** What a capture says for a policy to judge; null wherever it does not say, or not in a form that is understood. */
export type CaptureFacts = {
  readonly repository: Stated | null;
  /** The short name of the branch or tag. */
  readonly ref: Stated | null;
  /** The name with `refs/heads/` or `refs/tags/`: git's, or the CI system's beside a ref that is a claim as well. */
  readonly fullRef: string | null;
  readonly commit: string | null;
  readonly dirty: boolean | null;
  readonly matchesCommit: boolean | null;
  readonly pushed: boolean | null;
  readonly ci: {
    readonly system: string;
    readonly repository: string | null;
    readonly commit: string | null;
    readonly runUrl: string | null;
  } | null;
  readonly attestedAt: Date | null;
};

export function captureFacts(predicate: JsonMap): CaptureFacts {
  const { ci } = predicate;
  const ref = stated(predicate, "source_ref");
  const system = text(memberOf(ci, "system"));
  return {
    repository: stated(predicate, "source_repo"),
    ref,
    fullRef: text(predicate["ref_full"]) ?? claimedFullRef(ref, text(memberOf(ci, "ref_full"))),
    commit: stated(predicate, "source_commit")?.value ?? null,
    dirty: flag(memberOf(fieldOf(predicate, "source_dirty"), "value")),
    matchesCommit: flag(predicate["matches_commit"]),
    pushed: flag(predicate["pushed"]),
    ci:
      system === null
        ? null
        : {
            system,
            repository: text(memberOf(ci, "repo")),
            commit: text(memberOf(ci, "commit")),
            runUrl: text(memberOf(ci, "run_url")),
          },
    attestedAt: instantOf(predicate["attested_at"]),
  };
}

/** On a detached HEAD, which most CI systems check out, the full name is the CI system's if the short one is. */
function claimedFullRef(ref: Stated | null, full: string | null): string | null {
  if (ref === null || !ref.claimed || full === null) return null;
  return full.replace(/^refs\/(?:heads|tags)\//u, "") === ref.value ? full : null;
}

function stated(predicate: JsonMap, name: string): Stated | null {
  const field = fieldOf(predicate, name);
  const value = text(memberOf(field, "value"));
  return value === null ? null : { value, claimed: memberOf(field, "source") !== "git" };
}

function fieldOf(predicate: JsonMap, name: string): JsonValue | undefined {
  return memberOf(predicate["fields"], name);
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isMap(value) ? value[name] : undefined;
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function flag(value: JsonValue | undefined): boolean | null {
  return typeof value === "boolean" ? value : null;
}
