import { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import { printable } from "../base/printable.ts";
import type { Clock } from "../host/clock.ts";
import { mayReadAgain } from "./classify-read.ts";
import type { Attempt, Proof } from "./leg.ts";
import { satisfies, type PinRow, type WantedPin } from "./pin.ts";
import { readPin, type Exchange } from "./pin-client.ts";
import { nextDelay } from "./next-delay.ts";
import type { Target } from "./target.ts";

export type ReadBackRule = {
  /** What ends the reading: the wanted digest, or any readable state (to learn what is there before a write). */
  readonly until: "equal" | "readable";
  /** How long to go on reading until the digest is there, in milliseconds; 0 is one read. */
  readonly forMs: number;
  /** Ceiling for all of it in milliseconds, also for a row of equal reads that has begun. */
  readonly limitMs: number;
  /** How many reads in a row must hold the digest. */
  readonly stable: number;
  readonly intervalMs: number;
};

/**
 * What reading until equal came to. `last` is the newest row seen, equal or not; `waitMs` what the server asked to
 * wait before the next request; `isVersioned` whether the last listing had a strong ETag.
 */
export type ReadBack =
  | { readonly ok: true; readonly proof: Proof; readonly isVersioned: boolean }
  | {
      readonly ok: false;
      readonly failure: Failure;
      readonly last: PinRow | null;
      readonly waitMs: number | null;
      readonly isVersioned: boolean;
    };

/**
 * Reads until `stable` reads in a row hold the wanted digest, or time is up. Each read is recorded in `attempts`.
 * A read that breaks the row of equal ones starts the count anew: a flapping replica is no proof.
 */
export async function readBack(
  target: Target,
  wanted: WantedPin,
  rule: ReadBackRule,
  exchange: Exchange,
  clock: Clock,
  attempts: Attempt[],
): Promise<ReadBack> {
  const limit = clock.now() + rule.limitMs;
  const end = Math.min(clock.now() + rule.forMs, limit);
  let reads = 0;
  let hasHeld = false;
  let last: PinRow | null = null;
  for (;;) {
    if (exchange.stop.aborted) {
      const during = `reading the pin of ${wanted.template}`;
      const failure = interruption(exchange.stop, during);
      return { ok: false, failure, last, waitMs: null, isVersioned: false };
    }
    const started = clock.now();
    const answer = await readPin(target, wanted, exchange);
    const ms = Math.round(clock.now() - started);
    const { isVersioned } = answer;
    const waitMs = "row" in answer ? null : answer.waitMs;
    let failure: Failure;
    if ("row" in answer) {
      last = answer.row;
      const equal = satisfies(answer.row.digest, wanted);
      attempts.push({ method: "GET", status: answer.status, result: equal ? "equal" : "different", ms });
      reads = equal ? reads + 1 : 0;
      hasHeld ||= equal;
      if (reads >= rule.stable) return { ok: true, proof: { row: answer.row, reads }, isVersioned };
      failure = mismatch(wanted, answer.row, reads, rule.stable, hasHeld);
      if (rule.until === "readable") return { ok: false, failure, last, waitMs, isVersioned };
    } else {
      failure = answer.failure;
      reads = 0;
      attempts.push({ method: "GET", status: answer.status, result: failure.code, ms });
      const readable = rule.until === "readable" && failure.code === "row_missing";
      if (readable || !mayReadAgain(failure)) return { ok: false, failure, last, waitMs, isVersioned };
    }
    // A row of equal reads that has begun may go on when the time for becoming equal is over.
    const until = reads > 0 ? limit : end;
    const delay = nextDelay(waitMs, rule.intervalMs, until - clock.now());
    if (delay === null) return { ok: false, failure, last, waitMs, isVersioned };
    await clock.sleep(delay, exchange.stop);
  }
}

function mismatch(wanted: WantedPin, row: PinRow, reads: number, stable: number, hasHeld: boolean): Failure {
  if (reads > 0) {
    return new Failure(
      "pin_mismatch",
      `${wanted.template} held for ${reads} reads in a row; wanted ${stable}`,
      { hint: "give it a longer --for or --timeout" },
    );
  }
  // Members of a foreign row: who and when are the server's text.
  const at = row.promotedAt === null ? "" : ` at ${printable(row.promotedAt, 100)}`;
  const by = row.promotedBy === null ? "" : ` (promoted by ${printable(row.promotedBy, 100)}${at})`;
  if (wanted.unwanted === true) {
    return new Failure(
      "pin_mismatch",
      `PIN MISMATCH: ${wanted.template} in ${wanted.region} is pinned to ${row.digest}${by}, which it must not be`,
    );
  }
  return new Failure(
    "pin_mismatch",
    `PIN MISMATCH: ${wanted.template} in ${wanted.region} is pinned to ${row.digest}${by}; wanted ${wanted.digest}`,
    {
      hint: hasHeld
        ? "it flaps, it was the wanted one before: two replicas differ, or two jobs promote in turn"
        : "the promotion did not land, or another one came after it; promote again or look who did",
    },
  );
}
