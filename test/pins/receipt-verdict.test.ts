import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import {
  judgeReceipts,
  type ReceiptedPin,
  type ReceiptQuestion,
  type ReceiptVerdict,
} from "../../src/pins/receipt-verdict.ts";
import { parseAttestations } from "../../src/trust/attestation.ts";
import { promotionStatement, type PromotionReceipt } from "../../src/trust/attestation-promotion.ts";
import { formatEnvelope, type Envelope } from "../../src/trust/dsse.ts";
import { ALICE, APP, BOB, digestOf, envelopeOf, MALLORY, NOW, statement } from "../trust/attestations.ts";
import { image, RECEIPT } from "../trust/receipts.ts";

const PIN: ReceiptedPin = {
  plane: RECEIPT.plane,
  template: "codex",
  region: "global",
  digest: image(APP),
  version: 7,
  promotedAt: "2026-11-21T09:00:00.000001Z",
  promotedBy: "api-token-00112233",
  lastReceipted: null,
};
const QUESTION: ReceiptQuestion = {
  env: "prod",
  pin: PIN,
  trusted: { keys: [ALICE.publicKey], threshold: 1, distrusted: [] },
  now: NOW,
};

function judge(envelopes: readonly Envelope[], question: Partial<ReceiptQuestion> = {}): ReceiptVerdict {
  const lines = envelopes.map(formatEnvelope).join("\n");
  const found = parseAttestations(new TextEncoder().encode(lines), "the receipts", true);
  return judgeReceipts(found, { ...QUESTION, ...question });
}

function receiptBy(changes: Partial<PromotionReceipt> = {}, key = ALICE): Envelope {
  return envelopeOf(promotionStatement({ ...RECEIPT, ...changes }), key);
}

function codesOf(verdict: ReceiptVerdict): string[] {
  return verdict.ok ? [] : [verdict.failure.code, ...verdict.refusals.map(({ code }) => code)];
}

describe("a pin", () => {
  test("with a receipt for this very change is receipted, whatever lies beside it", () => {
    const verdict = judge([receiptBy({}, MALLORY), receiptBy({ version: 6 }), receiptBy()]);
    expect(verdict).toMatchObject({ ok: true, receipt: RECEIPT });
    expect(verdict.ok && verdict.signers.map(({ keyid }) => keyid)).toEqual([ALICE.publicKey.keyid]);
  });

  test("without any is told who moved it", () => {
    const verdict = judge([], { pin: { ...PIN, lastReceipted: 5 } });
    expect(codesOf(verdict)[0]).toBe("receipt_missing");
    expect(!verdict.ok && verdict.failure.exitCode).toBe(7);
    expect(!verdict.ok && verdict.failure.message).toBe(
      "codex in global was changed by api-token-00112233 at 2026-11-21T09:00:00.000001Z (version 7) " +
        "without a receipt; the last one is for version 5",
    );
  });

  const wrong: [string, Envelope[], string][] = [
    ["by a stranger", [receiptBy({}, MALLORY)], "signature_invalid"],
    ["for another environment", [receiptBy({ env: "staging" })], "receipt_mismatch"],
    [
      "of another control plane",
      [receiptBy({ plane: { ...RECEIPT.plane, id: digestOf("other") } })],
      "receipt_mismatch",
    ],
    [
      "of another environment of the plane",
      [receiptBy({ plane: { ...RECEIPT.plane, env: "staging" } })],
      "receipt_mismatch",
    ],
    ["for another template", [receiptBy({ template: "hermes" })], "receipt_mismatch"],
    ["for another region", [receiptBy({ region: "eu" })], "receipt_mismatch"],
    ["for another digest", [receiptBy({ digest: image(digestOf("x")) })], "subject_mismatch"],
    ["of an earlier version, replayed", [receiptBy({ version: 5 })], "receipt_mismatch"],
    ["of a version to come", [receiptBy({ version: 8 })], "receipt_mismatch"],
    ["that is a capture", [envelopeOf(statement())], "predicate_type_mismatch"],
  ];
  test.each(wrong)("with a receipt %s is refused with 6", (_what, envelopes, code) => {
    const verdict = judge(envelopes);
    expect(codesOf(verdict)).toContain(code);
    expect(!verdict.ok && verdict.failure.exitCode).toBe(6);
  });

  test("is told everything that is wrong with its receipts", () => {
    const verdict = judge([receiptBy({ env: "staging", version: 5 }), receiptBy({}, MALLORY)]);
    expect(codesOf(verdict).slice(1).toSorted()).toEqual([
      "receipt_mismatch",
      "receipt_mismatch",
      "signature_invalid",
    ]);
  });

  test("with a receipt by a revoked key is refused, and says so", () => {
    const why = new Failure("key_revoked", "revoked");
    const trusted = { keys: [BOB.publicKey], threshold: 1, distrusted: [{ key: ALICE.publicKey, why }] };
    expect(codesOf(judge([receiptBy()], { trusted }))).toContain("key_revoked");
  });

  test("whose evidence nobody may sign is refused", () => {
    const trusted = { keys: [], threshold: 1, distrusted: [] };
    expect(judge([receiptBy()], { trusted }).ok).toBe(false);
  });
});
