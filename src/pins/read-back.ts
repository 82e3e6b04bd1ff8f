import { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import { printable } from "../base/printable.ts";
import type { Clock } from "../host/clock.ts";
import { mayReadAgain } from "./classify.ts";
import type { Attempt, Proof } from "./leg.ts";
import type { PinRow, WantedPin } from "./pin.ts";
import { readPin, type Exchange } from "./pin-client.ts";
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

/** What reading until equal came to. `last` is the newest row seen, equal or not. */
export type ReadBack =
  | { readonly ok: true; readonly proof: Proof }
  | { readonly ok: false; readonly failure: Failure; readonly last: PinRow | null };

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
  let last: PinRow | null = null;
  for (;;) {
    if (exchange.stop.aborted) {
      const during = `reading the pin of ${wanted.template}`;
      return { ok: false, failure: interruption(exchange.stop, during), last };
    }
    const started = clock.now();
    const answer = await readPin(target, wanted, exchange);
    const ms = Math.round(clock.now() - started);
    let failure: Failure;
    if ("row" in answer) {
      last = answer.row;
      const equal = answer.row.digest === wanted.digest;
      attempts.push({ method: "GET", status: answer.status, result: equal ? "equal" : "different", ms });
      reads = equal ? reads + 1 : 0;
      if (reads >= rule.stable) return { ok: true, proof: { row: answer.row, reads } };
      failure = mismatch(wanted, answer.row, reads, rule.stable);
      if (rule.until === "readable" && !equal) return { ok: false, failure, last };
    } else {
      failure = answer.failure;
      reads = 0;
      attempts.push({ method: "GET", status: answer.status, result: failure.code, ms });
      const readable = rule.until === "readable" && failure.code === "row_missing";
      if (readable || !mayReadAgain(failure)) return { ok: false, failure, last };
    }
    // A row of equal reads that has begun may go on when the time for becoming equal is over.
    const until = reads > 0 ? limit : end;
    if (clock.now() + rule.intervalMs > until) return { ok: false, failure, last };
    await clock.sleep(rule.intervalMs, exchange.stop);
  }
}

function mismatch(wanted: WantedPin, row: PinRow, reads: number, stable: number): Failure {
  if (reads > 0) {
    return new Failure(
      "pin_mismatch",
      `${wanted.template} held the digest for ${reads} reads in a row; wanted ${stable}`,
    );
  }
  // Members of a foreign row: who and when are the server's text.
  const at = row.promotedAt === null ? "" : ` at ${printable(row.promotedAt, 100)}`;
  const by = row.promotedBy === null ? "" : ` (promoted by ${printable(row.promotedBy, 100)}${at})`;
  return new Failure(
    "pin_mismatch",
    `PIN MISMATCH: ${wanted.template} in ${wanted.region} is pinned to ${row.digest}${by}; wanted ${wanted.digest}`,
    { hint: "the promotion did not land, or another one came after it; promote again or look who did" },
  );
}
