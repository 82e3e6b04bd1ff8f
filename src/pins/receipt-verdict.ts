import { hexOf, type ImageDigest, type Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { printable, quoted } from "../base/printable.ts";
import { mainRefusal } from "../trust/attestation-refusals.ts";
import type { FoundAttestations } from "../trust/attestation.ts";
import { promotionReceipt, type Plane, type PromotionReceipt } from "../trust/attestation-promotion.ts";
import { PROMOTION_TYPE } from "../trust/attestation-types.ts";
import type { PublicKey } from "../trust/public-key.ts";
import type { TrustedSigners } from "../trust/trusted-signers.ts";
import { verifyAttestations } from "../trust/verify-attestation.ts";

/** A pin as the control plane shows it together with its receipts. */
export type ReceiptedPin = {
  readonly plane: Plane;
  readonly template: string;
  readonly region: string;
  readonly digest: ImageDigest;
  readonly version: number;
  readonly promotedAt: string | null;
  readonly promotedBy: string | null;
  /** The version that the last receipt of this pin is for; null when it never had one. */
  readonly lastReceipted: number | null;
};

export type ReceiptQuestion = {
  /** The environment in the words of whoever asks. */
  readonly env: string;
  readonly pin: ReceiptedPin;
  readonly trusted: TrustedSigners;
  readonly now: Date;
};

export type ReceiptVerdict =
  | {
      readonly ok: true;
      readonly receipt: PromotionReceipt;
      readonly signers: readonly PublicKey[];
      /** Of the bytes that were signed. */
      readonly payloadSha256: Sha256;
    }
  | { readonly ok: false; readonly failure: Failure; readonly refusals: readonly Failure[] };

/**
 * Whether one of the receipts speaks of exactly this pin: this digest, in this row version, in this environment of
 * this control plane, by a key that may say so. No I/O.
 */
export function judgeReceipts(found: FoundAttestations, question: ReceiptQuestion): ReceiptVerdict {
  const { pin, trusted, now } = question;
  if (found.attestations.length === 0 && found.refusals.length === 0 && found.skippedLines === 0)
    return refused([unreceipted(pin)]);
  const verdict = verifyAttestations(found, {
    subject: hexOf(pin.digest),
    predicateType: PROMOTION_TYPE,
    trusted: () => trusted,
    policy: null,
    now,
  });
  const refusals = [...verdict.refusals];
  for (const { statement, signers, payloadSha256 } of verdict.accepted) {
    const receipt = promotionReceipt(statement);
    if (receipt instanceof Failure) {
      refusals.push(receipt);
      continue;
    }
    const wrong = differences(receipt, question);
    if (wrong.length === 0) return { ok: true, receipt, signers, payloadSha256 };
    refusals.push(...wrong);
  }
  return refused(refusals);
}

function refused(refusals: readonly Failure[]): ReceiptVerdict {
  const failure = mainRefusal(refusals) ?? new Failure("receipt_missing", "there is no receipt");
  return { ok: false, failure, refusals };
}

function unreceipted({
  template,
  region,
  version,
  lastReceipted,
  promotedAt,
  promotedBy,
}: ReceiptedPin): Failure {
  const by = promotedBy === null ? "" : ` by ${printable(promotedBy, 100)}`;
  const at = promotedAt === null ? "" : ` at ${printable(promotedAt, 100)}`;
  const before = lastReceipted === null ? "it never had one" : `the last one is for version ${lastReceipted}`;
  return new Failure(
    "receipt_missing",
    `${template} in ${region} was changed${by}${at} (version ${version}) without a receipt; ${before}`,
    { hint: "look who moved it; promoting the same digest again with --receipt-key gives it a receipt" },
  );
}

/** Every way in which a well-signed receipt is about something else than this pin, as it is now. */
function differences(receipt: PromotionReceipt, { env, pin }: ReceiptQuestion): Failure[] {
  const compared: [string, string | number, string | number][] = [
    ["environment", receipt.env, env],
    ["environment of the control plane", receipt.plane.env, pin.plane.env],
    ["control plane", receipt.plane.id, pin.plane.id],
    ["template", receipt.template, pin.template],
    ["region", receipt.region, pin.region],
    ["digest", receipt.digest, pin.digest],
    // A receipt of an earlier state that came back, by hand, is a replay.
    ["row version", receipt.version, pin.version],
  ];
  return compared.flatMap(([what, found, wanted]) =>
    found === wanted
      ? []
      : [
          new Failure(
            "receipt_mismatch",
            `a receipt is for ${what} ${shown(found)}; the pin is in ${what} ${shown(wanted)}`,
            { hint: "a receipt counts for the one change that it was signed for" },
          ),
        ],
  );
}

function shown(value: string | number): string {
  return typeof value === "number" ? String(value) : quoted(value, 100);
}
