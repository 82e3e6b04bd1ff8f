import { expect, test } from "bun:test";
import { CAPTURE_TYPE, PROMOTION_TYPE } from "../../../src/trust/attestation-types.ts";
import { formatEnvelope } from "../../../src/trust/dsse.ts";
import { codesOf, envelopeOf, judge, ruleWith, statement, underPolicy } from "../attestations.ts";

const of = (predicateType: string): string => formatEnvelope(envelopeOf(statement({ predicateType })));

test("another type than the wanted one is refused, also when waybill knows it", () => {
  const verdict = judge(of(PROMOTION_TYPE), { predicateType: CAPTURE_TYPE });
  expect(verdict.accepted).toEqual([]);
  expect(codesOf(verdict)).toEqual(["predicate_type_mismatch"]);
});

test("without a wish a type that nobody here knows is refused", () => {
  expect(codesOf(judge(of("https://example.com/anything/v1")))).toEqual(["predicate_type_mismatch"]);
});

test.each([`${CAPTURE_TYPE}/`, CAPTURE_TYPE.toUpperCase(), `${CAPTURE_TYPE}?a`, CAPTURE_TYPE.slice(0, -1)])(
  "%s is not the capture type",
  (type) =>
    expect(codesOf(judge(of(type), { predicateType: CAPTURE_TYPE }))).toEqual(["predicate_type_mismatch"]),
);

test("a type is taken when it is asked for, and reported", () => {
  const type = "https://example.com/anything/v1";
  expect(judge(of(type), { predicateType: type }).accepted[0]?.statement.predicateType).toBe(type);
});

test("a receipt does not pass where the policy wants a capture, whatever its predicate says", () => {
  expect(codesOf(judge(of(PROMOTION_TYPE), underPolicy()))).toContain("policy_denied");
  expect(codesOf(judge(of("https://example.com/x"), underPolicy()))).toContain("predicate_type_mismatch");
  const rules = { ...ruleWith({}), rules: [{ name: "receipts", predicate_types: [PROMOTION_TYPE] }] };
  expect(judge(of(PROMOTION_TYPE), underPolicy(rules)).accepted).toHaveLength(1);
  const theirs = { ...ruleWith({}), rules: [{ name: "theirs", predicate_types: ["https://example.com/x"] }] };
  expect(judge(of("https://example.com/x"), underPolicy(theirs)).accepted).toHaveLength(1);
  // A rule that asks for nothing else still asks for its kind.
  expect(codesOf(judge(of(CAPTURE_TYPE), underPolicy(rules)))).toEqual(["policy_denied"]);
  const bare = { ...ruleWith({}), rules: [{ name: "anything" }] };
  expect(codesOf(judge(of(PROMOTION_TYPE), underPolicy(bare)))).toEqual(["policy_denied"]);
});
