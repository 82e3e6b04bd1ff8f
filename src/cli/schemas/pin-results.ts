import type { ResultShape } from "./frame.ts";
import {
  count,
  digest,
  exitCode,
  failure,
  flag,
  list,
  map,
  nullable,
  object,
  sha256,
  text,
  warning,
  word,
  type Members,
  type Schema,
} from "./shape.ts";

const ROW: Members = {
  digest,
  git_sha: nullable(text),
  seq: nullable(count),
  promoted_at: nullable(text),
  promoted_by: nullable(text),
  remarks: list(text),
};

const leg: Schema = object({
  env: text,
  origin: text,
  template: text,
  region: text,
  ok: flag,
  outcome: word(
    "landed",
    "already",
    "landed_after_lost_response",
    "would_change",
    "matches",
    "differs",
    "mismatch",
    "missing",
    "moved_after_write",
    "superseded",
    "held_back",
    "unreceipted",
    "written_unverified",
    "outcome_unknown",
    "failed",
  ),
  exit_code: exitCode,
  before: nullable(object(ROW)),
  after: nullable(object({ ...ROW, reads: count })),
  attempts: list(
    object({ method: text, status: nullable(count), result: text, ms: count, "retry_in_ms?": count }),
  ),
  proxy: nullable(object({ address: text, from: text })),
  race_window: nullable(word("open", "closed")),
  warnings: list(warning),
  "receipt?": object({ version: count, keyid: text, state: word("stored", "kept", "verified") }),
  error: nullable(failure),
});

const request: Schema = object({
  "template?": text,
  "digest?": text,
  region: text,
  pins: list(object({ template: text, digest: text })),
  "not?": text,
  "seq?": count,
  "git_sha?": text,
  "notes?": text,
  "reason?": text,
});

const decision: Schema = object({
  env: text,
  template: text,
  allowed: flag,
  rules: list(text),
  refusals: list(object({ code: text, message: text })),
  warnings: list(text),
  evidence: list(object({ predicate_type: text, sha256, keyids: list(text) })),
});

const artifacts: Schema = list(
  object({
    template: text,
    image: text,
    digest,
    kind: word("image", "index"),
    media_type: text,
    bytes: count,
    platforms: list(text),
    digest_header: text,
  }),
);

export const PIN_RESULTS: { readonly [name: string]: ResultShape } = {
  promote: {
    what: "what was pinned in each environment, and the read that proves it",
    always: { checked: count, legs: list(leg) },
    success: { request },
    sometimes: {
      artifacts,
      policy: nullable(object({ name: text, version: count })),
      decisions: list(decision),
    },
  },
  "verify-pin": {
    what: "each pin as it was read, compared with what it should be",
    always: { checked: count, legs: list(leg) },
    success: { request },
    sometimes: { artifacts },
  },
  "verify-audit": {
    what: "every pin of every environment and where they differ; or the way of each back to its commit; or the chained record",
    always: { checked: count },
    // By default, with --lineage, and with --chain or --events: one of the three, never two.
    sometimes: {
      environments: list(
        object({ env: text, origin: text, ok: flag, pins: count, error: nullable(failure) }),
      ),
      pins: list(
        object({
          template: text,
          region: text,
          expected: nullable(text),
          found: map(nullable(text)),
          drift: list(text),
        }),
      ),
      drifting: count,
      complete: count,
      links: object({ found: count, missing: count, wrong: count, unread: count }),
      lineages: list(
        object({
          env: text,
          template: text,
          region: text,
          digest,
          links: list(
            object({
              name: word("pin", "receipt", "build", "commit", "capture"),
              state: word("found", "missing", "wrong", "unread"),
              what: text,
              "code?": text,
            }),
          ),
        }),
      ),
      unread: list(failure),
      chains: list(
        object({
          name: text,
          checked: count,
          unchained: count,
          problem: nullable(text),
          head: object({ seq: count, sha256 }),
        }),
      ),
    },
  },
};
