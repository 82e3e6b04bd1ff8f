import type { Failure } from "../base/failure.ts";
import type { Clock } from "../host/clock.ts";
import { mayReadAgain } from "./classify-read.ts";
import type { Attempt } from "./leg.ts";
import { movedBetween, nextWrite, type Intent, type NextWrite } from "./next-write.ts";
import type { PinNote, PinRow, WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import { readVersion } from "./pin-writer.ts";
import { readBack, type ReadBack } from "./read-back.ts";
import type { Standing } from "./standing.ts";
import type { Target } from "./target.ts";

/** What the reads before a write came to. */
export type Seen =
  | { readonly is: "there"; readonly proof: Extract<ReadBack, { ok: true }> }
  | {
      readonly is: "read";
      readonly row: PinRow | null;
      readonly isVersioned: boolean;
      readonly next: NextWrite;
    }
  /** Nothing readable, and another read may bring it. */
  | { readonly is: "unread"; readonly failure: Failure; readonly waitMs: number | null }
  | { readonly is: "failed"; readonly failure: Failure; readonly row: PinRow | null };

type Preflight = {
  readonly target: Target;
  readonly wanted: WantedPin;
  readonly note: PinNote;
  readonly intent: Intent;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly attempts: Attempt[];
  /** Look for the pin's version also where the listing promises none. */
  readonly wantsVersion: boolean;
};

const ONE_READ = { until: "readable", forMs: 0, limitMs: 0, stable: 1, intervalMs: 0 } as const;

/** Reads by GETs alone what is pinned, one attempt each, and decides what a promotion does next. */
export async function preflight(asked: Preflight): Promise<Seen> {
  const { target, wanted, exchange, clock, attempts } = asked;
  const read = await readBack(target, wanted, ONE_READ, exchange, clock, attempts);
  if (read.ok && asked.intent.touch !== true) return { is: "there", proof: read };
  // No row yet, or another digest, is what a promotion is for; anything else means that nothing could be proven.
  if (!read.ok && read.failure.code !== "pin_mismatch" && read.failure.code !== "row_missing") {
    return unreadable(read.failure, read.waitMs, read.last);
  }
  const row = read.ok ? read.proof.row : read.last;
  let standing: Standing | null = null;
  if (read.isVersioned || asked.wantsVersion) {
    const sent = clock.now();
    const answer = await readVersion(target, wanted, exchange);
    const ms = Math.round(clock.now() - sent);
    if ("failure" in answer) {
      attempts.push({ method: "GET", status: answer.status, result: answer.failure.code, ms });
      return unreadable(answer.failure, answer.waitMs, row);
    }
    standing = answer.standing;
    const result = standing === null ? "no_version" : "version";
    attempts.push({ method: "GET", status: answer.status, result, ms });
  }
  const moved = standing === null ? null : movedBetween(row, standing, wanted);
  if (moved !== null) return { is: "unread", failure: moved, waitMs: null };
  const next = nextWrite(row, standing, wanted, asked.note, asked.intent);
  return { is: "read", row, isVersioned: standing !== null, next };
}

function unreadable(failure: Failure, waitMs: number | null, row: PinRow | null): Seen {
  return mayReadAgain(failure) ? { is: "unread", failure, waitMs } : { is: "failed", failure, row };
}
