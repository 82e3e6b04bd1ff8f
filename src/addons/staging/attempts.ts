import { existsSync } from "node:fs";
import { boolean, decode, integer, object, record, string } from "../../base/decode.ts";
import { isFailureCode, type FailureCode } from "../../base/exit-codes.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { reason, writeAtomic } from "../../host/files.ts";
import type { Assignment } from "../assigned/assignment.ts";
import { afterFailure, attemptKey, isHeld, type Attempt } from "./backoff.ts";
import type { Warning } from "../warning.ts";
import { readOwn } from "../on-host/own-file.ts";

const MODE = 0o600;
/** An attempt that nobody made for a day is another attempt. */
const FORGOTTEN_MS = 86_400_000;

const decoder = object({
  attempts: record(
    object({
      failures: integer(),
      code: string(),
      permanent: boolean(),
      not_before_ms: integer(),
      last_ms: integer(),
    }),
  ),
});

/** The failed attempts of a root, remembered between runs. Use it under the root's lock. */
export class Attempts {
  readonly #path: string;
  readonly #now: () => Date;
  readonly #random: () => number;
  /** Whether nothing is held back in this run. */
  readonly #retryNow: boolean;
  readonly #known: Map<string, Attempt>;

  constructor(path: string, now: () => Date, random: () => number, retryNow: boolean) {
    this.#path = path;
    this.#now = now;
    this.#random = random;
    this.#retryNow = retryNow;
    this.#known = readAttempts(path);
  }

  /** Throws the failure of the last attempt again when it is too early for another one. */
  check(assignment: Assignment): void {
    const attempt = this.#known.get(attemptKey(assignment));
    if (this.#retryNow || attempt === undefined || !isHeld(attempt, this.#now().getTime())) return;
    const until = new Date(attempt.not_before_ms).toISOString();
    throw new Failure(
      codeOf(attempt),
      `it failed ${attempt.failures} times; it is not tried before ${until}`,
      {
        hint: "another version or artifact is tried at once; so is this one with --retry-now",
      },
    );
  }

  /** Whether this is the first failure of its kind. */
  failed(assignment: Assignment, failure: Failure): boolean {
    const key = attemptKey(assignment);
    const before = this.#known.get(key);
    this.#known.set(key, afterFailure(before, failure.code, this.#now().getTime(), this.#random()));
    return before?.code !== failure.code;
  }

  succeeded(assignment: Assignment): void {
    this.#known.delete(attemptKey(assignment));
  }

  /** Writes what changed since it was read. */
  save(): Warning[] {
    const since = this.#now().getTime() - FORGOTTEN_MS;
    const kept = [...this.#known].filter(([, { last_ms }]) => last_ms > since).slice(-LIMITS.assignments);
    if (Bun.deepEquals(kept, [...readAttempts(this.#path)])) return [];
    try {
      writeAtomic(this.#path, `${JSON.stringify({ attempts: Object.fromEntries(kept) })}\n`, MODE);
      return [];
    } catch (error) {
      const message = `${quoted(this.#path)} cannot be written: ${reason(error)}; the next run tries everything at once`;
      return [{ code: "attempts_not_written", message }];
    }
  }
}

function codeOf({ code }: Attempt): FailureCode {
  return isFailureCode(code) ? code : "object_store_unavailable";
}

/** What cannot be read is no reason to hold anything back. */
function readAttempts(path: string): Map<string, Attempt> {
  if (!existsSync(path)) return new Map();
  try {
    const bytes = readOwn(path, LIMITS.documentBytes, "the attempts");
    const decoded = decode(decoder, parseJson(bytes, { what: "the attempts", code: "record_mismatch" }));
    return new Map(decoded.ok ? Object.entries(decoded.value.attempts) : []);
  } catch {
    return new Map();
  }
}
