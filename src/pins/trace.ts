import { hexOf } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import type { FoundAttestations } from "../trust/attestation.ts";
import { captureFacts } from "../trust/attestation-capture.ts";
import { CAPTURE_TYPE, PROMOTION_TYPE } from "../trust/attestation-types.ts";
import {
  verifyAttestations,
  type AttestationQuestion,
  type AttestationVerdict,
} from "../trust/verify-attestation.ts";
import { findBuild, type BuildFilter } from "./build-client.ts";
import { lineageOf, treeHashOf, type FoundBuild, type Lineage } from "./lineage.ts";
import type { Exchange } from "./pin-client.ts";
import type { PinRow, WantedPin } from "./pin.ts";
import { readReceipts } from "./receipt-client.ts";
import { judgeReceipts, type ReceiptVerdict } from "./receipt-verdict.ts";
import type { Target } from "./target.ts";

export type Tracing = {
  readonly exchange: Exchange;
  /** Whose statements count about a pin, for each kind of statement. */
  readonly trusted: (pin: Pick<WantedPin, "template" | "digest">) => (type: string) => Signers;
  /** Signed captures to hold against the digests; null for none. */
  readonly captures: FoundAttestations | null;
  readonly now: Date;
};

type Signers = NonNullable<ReturnType<AttestationQuestion["trusted"]>>;

/** Follows a row of a listing back: to its receipt, the build of its image, the commit and the captured context. */
export async function trace(target: Target, row: PinRow, tracing: Tracing): Promise<Lineage> {
  const trusted = tracing.trusted(row);
  const receipt = await receiptOf(target, row, trusted(PROMOTION_TYPE), tracing);
  const captures = capturesOf(row, trusted, tracing);
  const build = await buildOf(target, row, receipt, captures, tracing.exchange);
  return lineageOf({ env: target.env, row, receipt, build, captures });
}

async function receiptOf(
  target: Target,
  row: PinRow,
  trusted: Signers,
  { exchange, now }: Tracing,
): Promise<ReceiptVerdict> {
  const read = await readReceipts(target, row, exchange);
  if (read instanceof Failure) return refused(read);
  if (read === null || read.pin.digest !== row.digest)
    return refused(new Failure("moved_after_write", "the pin was moved while it was followed"));
  return judgeReceipts(read.found, { env: target.env, pin: read.pin, trusted, now });
}

function refused(failure: Failure): ReceiptVerdict {
  return { ok: false, failure, refusals: [failure] };
}

function capturesOf(
  row: PinRow,
  trusted: (type: string) => Signers,
  { captures, now }: Tracing,
): AttestationVerdict | null {
  if (captures === null) return null;
  return verifyAttestations(captures, {
    subject: hexOf(row.digest),
    predicateType: CAPTURE_TYPE,
    trusted,
    policy: null,
    now,
  });
}

/** The build record, by what binds it most: the digest, the signed capture, the commit that the receipt names. */
async function buildOf(
  target: Target,
  row: PinRow,
  receipt: ReceiptVerdict,
  captures: AttestationVerdict | null,
  exchange: Exchange,
): Promise<FoundBuild | Failure | null> {
  const [capture] = captures?.accepted ?? [];
  const commit = capture === undefined ? null : captureFacts(capture.statement.predicate).commit;
  const questions: [FoundBuild["by"], BuildFilter, string | null][] = [
    ["digest", "image_digest", row.digest],
    ["capture", "working_tree_hash", capture === undefined ? null : treeHashOf(capture)],
    ["commit", "source_commit", commit ?? (receipt.ok ? receipt.receipt.gitSha : null)],
  ];
  for (const [by, filter, value] of questions) {
    if (value === null) continue;
    const record = await findBuild(target, filter, value, exchange);
    if (record instanceof Failure) return record;
    // A record of another image with the same source is no record of this one.
    if (record !== null && (record.digest === null || record.digest === row.digest)) return { record, by };
  }
  return null;
}
