import type { FailureCode } from "../../base/exit-codes.ts";
import type { Sha256 } from "../../base/digest.ts";
import { sha256Of } from "../../base/hashing.ts";
import type { Assignment } from "../assigned/assignment.ts";
import { notedKey } from "../on-host/record-of.ts";

/** What is remembered of fetching one artifact for one assignment, after it failed. */
export type Attempt = {
  readonly failures: number;
  readonly code: string;
  /** Nothing but another assignment or another artifact can make it work. */
  readonly permanent: boolean;
  /** Milliseconds since 1970; not tried again before. */
  readonly not_before_ms: number;
  readonly last_ms: number;
};

/** As in the original, the longest pause; every one is spread, so that a fleet does not come back as one. */
const LONGEST_MS = 300_000;
const FIRST_PERMANENT_MS = 30_000;
const FIRST_TRANSIENT_MS = 5_000;

/**
 * Evidence and answers that stay the same however often they are
 * asked for. The original also takes 401, 408, 425 and 429 for such.
 */
const PERMANENT: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "hash_mismatch",
  "signature_invalid",
  "signature_malformed",
  "statement_mismatch",
  "tarball_unsafe",
  "tarball_too_large",
  "tarball_binary_missing",
  "artifact_too_large",
  "platform_unsupported",
  "unsafe_path",
  "not_found",
  "forbidden",
  "request_rejected",
]);

export function isPermanent(code: FailureCode): boolean {
  return PERMANENT.has(code);
}

/** Another version, artifact, signature, place or configuration is another attempt, and is made at once. */
export function attemptKey(assignment: Assignment): Sha256 {
  const {
    addon_id: id,
    version,
    artifact_sha256: sha256,
    artifact_object_key: key,
    artifact_signature: signature,
    artifact_statement: statement,
    config_json,
  } = assignment;
  // A configuration that was not said is null there.
  return sha256Of(JSON.stringify([id, version, sha256, notedKey(key), config_json, signature, statement]));
}

/**
 * What to remember after a failure. The first one costs nothing: the next run tries again, as whoever reads the
 * error and mends the cause expects. `random` is in [0, 1).
 */
export function afterFailure(
  before: Attempt | undefined,
  code: FailureCode,
  nowMs: number,
  random: number,
): Attempt {
  const failures = (before?.failures ?? 0) + 1;
  const permanent = isPermanent(code);
  const first = permanent ? FIRST_PERMANENT_MS : FIRST_TRANSIENT_MS;
  const pause = failures === 1 ? 0 : Math.min(first * 2 ** Math.min(failures - 2, 20), LONGEST_MS);
  const spread = Math.round(pause * (0.75 + random / 2));
  return { failures, code, permanent, not_before_ms: nowMs + spread, last_ms: nowMs };
}

/** Whether it is too early to try again. A clock that was set back does not make it later than ever meant. */
export function isHeld(attempt: Attempt, nowMs: number): boolean {
  return nowMs < attempt.not_before_ms && attempt.not_before_ms - nowMs <= 2 * LONGEST_MS;
}
