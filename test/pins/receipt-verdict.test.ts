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

  test("of which nobody knows more is told as much as is known", () => {
    const verdict = judge([], { pin: { ...PIN, promotedAt: null, promotedBy: null } });
    expect(!verdict.ok && verdict.failure.message).toBe(
      "codex in global was changed (version 7) without a receipt; it never had one",
    );
  });

  test("with a file in which nothing is a receipt is told of the file", () => {
    const found = parseAttestations(new TextEncoder().encode('{"a":1}\n'), "the receipts", true);
    expect(found).toMatchObject({ attestations: [], refusals: [], skippedLines: 1 });
    expect(codesOf(judgeReceipts(found, QUESTION))[0]).toBe("no_evidence");
    const broken = judgeReceipts(
      { ...found, skippedLines: 0, refusals: [new Failure("envelope_malformed", "x")] },
      QUESTION,
    );
    expect(codesOf(broken)[0]).toBe("envelope_malformed");
  });

  test("with a receipt that is not whole is told so", () => {
    const { predicate, ...rest } = promotionStatement(RECEIPT);
    const { env: _, ...cut } = predicate;
    expect(codesOf(judge([envelopeOf({ ...rest, predicate: cut })]))).toEqual([
      "statement_invalid",
      "statement_invalid",
    ]);
    expect(judge([envelopeOf({ ...rest, predicate: cut }), receiptBy()]).ok).toBe(true);
  });

  const different: [string, Partial<PromotionReceipt>, string, string][] = [
    ["environment", { env: "staging" }, '"staging"', '"prod"'],
    [
      "environment of the control plane",
      { plane: { ...RECEIPT.plane, env: "lab" } },
      '"lab"',
      '"production"',
    ],
    ["template", { template: "hermes" }, '"hermes"', '"codex"'],
    ["region", { region: "eu" }, '"eu"', '"global"'],
    ["row version", { version: 5 }, "5", "7"],
  ];
  test.each(different)("says in which %s a receipt differs", (what, changes, found, wanted) => {
    const verdict = judge([receiptBy(changes)]);
    expect(!verdict.ok && verdict.failure.message).toBe(
      `a receipt is for ${what} ${found}; the pin is in ${what} ${wanted}`,
    );
  });

  test("is not receipted by a change to another image that names this one beside it", () => {
    const other = image(digestOf("other"));
    const { subjects, ...rest } = promotionStatement({ ...RECEIPT, digest: other });
    const beside = [...subjects, { name: "beside", digest: { sha256: APP } }];
    const verdict = judge([envelopeOf({ ...rest, subjects: beside })]);
    expect(!verdict.ok && [verdict.failure.code, verdict.failure.message]).toEqual([
      "receipt_mismatch",
      `a receipt is for digest "${other}"; the pin is in digest "${PIN.digest}"`,
    ]);
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
