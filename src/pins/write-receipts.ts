import { sha256Of } from "../base/hashing.ts";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../host/clock.ts";
import { writeAttestation } from "../trust/attestation-file.ts";
import {
  promotionStatement,
  type PromotionReceipt,
  type ReceiptDecision,
} from "../trust/attestation-promotion.ts";
import { signEnvelope, type Envelope } from "../trust/dsse.ts";
import type { SigningKey } from "../trust/signing-key.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "../trust/statement.ts";
import { insist } from "./insist.ts";
import { failedLeg, type Leg } from "./leg.ts";
import type { PinNote, WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import { readReceipts, storeReceipt, type ReadReceipts } from "./receipt-client.ts";
import { judgeReceipts } from "./receipt-verdict.ts";
import type { Target } from "./target.ts";

/** Who signs, for which run, and what allowed it. */
export type ReceiptWriter = {
  readonly key: SigningKey;
  /** Gets every receipt of the run as a line; null for no file. */
  readonly out: string | null;
  readonly runUrl: string | null;
  readonly actor: string | null;
  readonly note: PinNote;
  /** What the gate said of this template in this environment; null without a gate. */
  readonly decision: (env: string, template: string) => ReceiptDecision | null;
  readonly now: () => Date;
};

export type ReceiptTools = {
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** How long to try for one leg, and how long to wait in between, in milliseconds. */
  readonly timeoutMs: number;
  readonly intervalMs: number;
};

/**
 * What stands in the way of receipts before anything is written: a control plane that keeps none. A plane that cannot
 * be reached is for the leg to tell.
 */
export async function refuseUnreceipted(
  targets: readonly Target[],
  pins: readonly WantedPin[],
  exchange: Exchange,
): Promise<void> {
  const [wanted] = pins;
  if (wanted === undefined) return;
  const answers = await Promise.all(targets.map((target) => readReceipts(target, wanted, exchange)));
  for (const answer of answers)
    if (answer instanceof Failure && answer.code === "server_unsupported") throw answer;
}

/**
 * A signed receipt for every leg that is proven, one after the other. A pin that is there already and has a receipt
 * of this key for its version needs no other one. A leg whose receipt is not kept has failed, although its pin is
 * where it should be: the next run finds it there and hands the receipt in.
 */
export async function writeReceipts(
  legs: readonly Leg[],
  writer: ReceiptWriter,
  tools: ReceiptTools,
): Promise<Leg[]> {
  const receipted: Leg[] = [];
  for (const leg of legs) receipted.push(leg.after === null ? leg : await receiptFor(leg, writer, tools));
  return receipted;
}

async function receiptFor(leg: Leg, writer: ReceiptWriter, tools: ReceiptTools): Promise<Leg> {
  const { target, wanted } = leg;
  try {
    const read = await insist(tools, () => readReceipts(target, wanted, tools.exchange));
    if (read === null || read.pin.digest !== wanted.digest)
      return without(leg, new Failure("receipt_not_kept", "the pin was moved before its receipt was signed"));
    const { version } = read.pin;
    const { keyid } = writer.key.publicKey;
    const there = keptReceipt(leg, read, writer);
    const envelope = there ?? signedReceipt(leg, read, writer);
    if (there === null)
      await insist(tools, () => storeReceipt(target, wanted, version, envelope, tools.exchange));
    if (writer.out !== null) await writeAttestation(envelope, writer.out, "jsonl", tools.exchange.stop);
    return { ...leg, receipt: { version, keyid, state: there === null ? "stored" : "kept" } };
  } catch (error) {
    if (error instanceof Failure) return without(leg, error);
    throw error;
  }
}

function keptReceipt(leg: Leg, read: ReadReceipts, writer: ReceiptWriter): Envelope | null {
  const verdict = judgeReceipts(read.found, {
    env: leg.target.env,
    pin: read.pin,
    trusted: { keys: [writer.key.publicKey], threshold: 1, distrusted: [] },
    now: writer.now(),
  });
  if (!verdict.ok) return null;
  const found = read.found.attestations.find(
    ({ envelope }) => sha256Of(envelope.payload) === verdict.payloadSha256,
  );
  return found?.envelope ?? null;
}

function signedReceipt(leg: Leg, { pin }: ReadReceipts, writer: ReceiptWriter): Envelope {
  const { target, wanted, before, outcome } = leg;
  const { note } = writer;
  const receipt: PromotionReceipt = {
    env: target.env,
    origin: target.base.origin,
    plane: pin.plane,
    template: wanted.template,
    region: wanted.region,
    digest: pin.digest,
    version: pin.version,
    previous: outcome === "already" ? pin.digest : (before?.digest ?? null),
    outcome,
    seq: note.seq ?? null,
    gitSha: note.gitSha ?? null,
    runUrl: writer.runUrl,
    actor: writer.actor,
    reason: note.force?.reason ?? null,
    decision: writer.decision(target.env, wanted.template),
    promotedAt: writer.now(),
  };
  return signEnvelope(writer.key, STATEMENT_PAYLOAD_TYPE, formatStatement(promotionStatement(receipt)));
}

function without(leg: Leg, { code, message, serverText }: Failure): Leg {
  const { template, digest } = leg.wanted;
  const what = `${template} is pinned to ${digest}, and its receipt is not kept: ${message}`;
  const hint = "promote again: a pin that is there already only gets its receipt";
  const failed = failedLeg(leg, "unreceipted", new Failure(code, what, { hint, serverText }));
  return { ...failed, before: leg.after?.row ?? leg.before, warnings: leg.warnings };
}
