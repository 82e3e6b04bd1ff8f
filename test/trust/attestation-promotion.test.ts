import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import {
  promotionReceipt,
  promotionStatement,
  type PromotionReceipt,
} from "../../src/trust/attestation-promotion.ts";
import { CAPTURE_TYPE, PROMOTION_TYPE } from "../../src/trust/attestation-types.ts";
import { formatEnvelope } from "../../src/trust/dsse.ts";
import type { Statement } from "../../src/trust/statement.ts";
import { digestOf, envelopeOf, judge } from "./attestations.ts";
import { image, RECEIPT } from "./receipts.ts";

const DECIDED: PromotionReceipt = {
  ...RECEIPT,
  previous: image(digestOf("before")),
  seq: null,
  gitSha: null,
  actor: null,
  runUrl: "https://ci.example.com/7",
  reason: "the fix of the fix",
  decision: {
    policy: { name: "acme images", version: 7 },
    rules: ["production"],
    warnings: ["it is old"],
    evidence: [{ predicateType: CAPTURE_TYPE, sha256: digestOf("capture") }],
  },
};

describe("a receipt", () => {
  test.each([RECEIPT, DECIDED, { ...RECEIPT, decision: { ...DECIDED.decision, policy: null } }])(
    "comes back out of a verified statement as it went in (%#)",
    (receipt) => {
      const text = formatEnvelope(envelopeOf(promotionStatement(receipt as PromotionReceipt)));
      const [accepted] = judge(text, { predicateType: PROMOTION_TYPE }).accepted;
      if (accepted === undefined) throw new Error("it was refused");
      expect(promotionReceipt(accepted.statement)).toEqual(receipt as PromotionReceipt);
    },
  );

  test("may have other subjects beside its image", () => {
    const { subjects, ...more } = promotionStatement(RECEIPT);
    const other = { name: "sbom", digest: { sha256: digestOf("sbom") } };
    expect(promotionReceipt({ ...more, subjects: [other, ...subjects, other] })).toEqual(RECEIPT);
  });

  const said = promotionStatement(DECIDED);
  const but = (predicate: Statement["predicate"]): Statement => ({
    ...said,
    predicate: { ...said.predicate, ...predicate },
  });
  const decision = said.predicate["decision"] as Record<string, never>;
  const listing = (count: number): Statement =>
    but({ decision: { ...decision, rules: Array<string>(count).fill("r") } });

  test("lists a thousand rules and no more", () => {
    expect(promotionReceipt(listing(1_000))).not.toBeInstanceOf(Failure);
    expect(promotionReceipt(listing(1_001))).toMatchObject({ code: "statement_invalid" });
  });

  const bad: [string, Statement, string][] = [
    ["of another type", { ...said, predicateType: CAPTURE_TYPE }, "predicate_type_mismatch"],
    ["without an environment", but({ env: null }), "statement_invalid"],
    ["without a row version", but({ version: null }), "statement_invalid"],
    ["with half a version", but({ version: 7.5 }), "statement_invalid"],
    ["of no control plane", but({ plane: null }), "statement_invalid"],
    ["of a control plane without a digest", but({ plane: { id: "x", env: "prod" } }), "statement_invalid"],
    ["with a tag for a digest", but({ digest: "latest" }), "statement_invalid"],
    ["at no time", but({ promoted_at: "today" }), "statement_invalid"],
    ["that was not allowed", but({ decision: { ...decision, allowed: false } }), "statement_invalid"],
    ["about another image", but({ digest: image(digestOf("x")) }), "subject_mismatch"],
  ];
  test.each(bad)("%s is refused", (_what, statement, code) => {
    const found = promotionReceipt(statement);
    expect(found).toBeInstanceOf(Failure);
    expect((found as Failure).code).toBe(code as Failure["code"]);
  });
});
