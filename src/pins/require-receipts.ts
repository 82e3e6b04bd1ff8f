import { Failure } from "../base/failure.ts";
import type { Clock } from "../host/clock.ts";
import type { TrustedSigners } from "../trust/trusted-signers.ts";
import { mayReadAgain } from "./classify-read.ts";
import { failedLeg, type Leg } from "./leg.ts";
import type { Exchange } from "./pin-client.ts";
import type { WantedPin } from "./pin.ts";
import { readReceipts } from "./receipt-client.ts";
import { judgeReceipts, type ReceiptVerdict } from "./receipt-verdict.ts";
import { nextDelay } from "./next-delay.ts";

export type ReceiptDemand = {
  /** Whose receipts count for a pin. */
  readonly trusted: (wanted: WantedPin) => TrustedSigners;
  readonly now: Date;
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** How long a receipt is waited for, and the pause between two looks, in milliseconds. */
  readonly forMs: number;
  readonly intervalMs: number;
};

/** Holds every proven leg against the receipts of its pin; one without a good receipt is no success. */
export async function requireReceipts(legs: readonly Leg[], demand: ReceiptDemand): Promise<Leg[]> {
  return Promise.all(legs.map((leg) => requireReceipt(leg, demand)));
}

async function requireReceipt(leg: Leg, demand: ReceiptDemand): Promise<Leg> {
  const { clock, exchange, forMs, intervalMs } = demand;
  if (leg.after === null) return leg;
  const end = clock.now() + forMs;
  for (;;) {
    const verdict = await look(leg, demand);
    if (verdict.ok) {
      const { receipt, signers } = verdict;
      const keyid = signers.map((key) => key.keyid).join(", ");
      return { ...leg, receipt: { version: receipt.version, keyid, state: "verified" } };
    }
    // The promotion that moved the pin hands its receipt in a moment later.
    const { failure } = verdict;
    const mayCome = failure.code === "receipt_missing" || mayReadAgain(failure);
    const delay = mayCome ? nextDelay(null, intervalMs, end - clock.now()) : null;
    if (delay === null || exchange.stop.aborted) return refused(leg, failure);
    await clock.sleep(delay, exchange.stop);
  }
}

async function look(leg: Leg, { trusted, now, exchange }: ReceiptDemand): Promise<ReceiptVerdict> {
  const { target, wanted } = leg;
  const read = await readReceipts(target, wanted, exchange);
  if (read instanceof Failure) return failed(read);
  if (read === null || read.pin.digest !== wanted.digest) {
    const there = read === null ? "has no pin" : `is pinned to ${read.pin.digest}`;
    const message = `${wanted.template} in ${wanted.region} ${there} by now; wanted ${wanted.digest}`;
    return failed(new Failure("pin_mismatch", message, { hint: "it moved while it was verified" }));
  }
  return judgeReceipts(read.found, { env: target.env, pin: read.pin, trusted: trusted(wanted), now });
}

function failed(failure: Failure): ReceiptVerdict {
  return { ok: false, failure, refusals: [failure] };
}

function refused(leg: Leg, failure: Failure): Leg {
  return {
    ...failedLeg(leg, failure.code === "pin_mismatch" ? "mismatch" : "unreceipted", failure),
    before: leg.after?.row ?? leg.before,
    warnings: leg.warnings,
  };
}
