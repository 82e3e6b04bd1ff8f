import { EXIT, type FailureCode } from "../base/exit-codes.ts";
import type { Failure } from "../base/failure.ts";

/** A credential is renewed without the assignment being changed. */
const CREDENTIAL = new Set<FailureCode>(["unauthorized", "credential_missing", "credential_unexpanded"]);
/** Worth another try within the same run: the server was there, or is just coming up. */
const RETRIED = new Set<FailureCode>([
  "connection_failed",
  "connection_lost",
  "deadline_passed",
  "server_failed",
  "rate_limited",
]);

/**
 * Whether the same assignment may work later without any change of it. The original takes every 4xx for permanent;
 * 401, 408, 425 and 429 are not.
 */
export function isTransient(failure: Failure): boolean {
  const { code, exitCode } = failure;
  return exitCode === EXIT.transport || exitCode === EXIT.server || CREDENTIAL.has(code);
}

/** Whether the same request is worth repeating now, with a pause. */
export function isRetried(failure: Failure): boolean {
  return RETRIED.has(failure.code);
}

/**
 * Milliseconds to wait before try number `attempt` (from 1), or null when the server wants more patience than
 * `budgetMs`. `random` is in [0, 1): hosts that failed together do not come back together.
 */
export function pauseBefore(
  attempt: number,
  askedMs: number | null,
  random: number,
  budgetMs: number,
): number | null {
  const own = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) * (0.5 + random);
  // Never before the server wants us, and spread after it.
  const pause = askedMs === null ? own : askedMs + FIRST_PAUSE_MS * random;
  return pause <= budgetMs ? Math.round(pause) : null;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
