import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { parseAttestations } from "../../src/trust/attestation.ts";
import { CAPTURE_TYPE, PROMOTION_TYPE } from "../../src/trust/attestation-types.ts";
import { addSignature, formatEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { STATEMENT_PAYLOAD_TYPE } from "../../src/trust/statement.ts";
import type { TrustedSigners } from "../../src/trust/trusted-signers.ts";
import { verifyAttestations, type AttestationVerdict } from "../../src/trust/verify-attestation.ts";
import {
  ALICE,
  APP,
  BOB,
  codesOf,
  envelopeOf,
  judge,
  MALLORY,
  NOW,
  POLICY,
  ruleWith,
  statement,
  underPolicy,
} from "./attestations.ts";
import { refusalOf } from "./refusal.ts";
import { keyOf } from "./roots.ts";

const good = envelopeOf();
const revoked = new Failure("key_revoked", "it was stolen");
const only = (...keys: readonly (typeof ALICE)[]): TrustedSigners => ({
  keys: keys.map((key) => key.publicKey),
  threshold: 1,
  distrusted: [],
});

describe("whose signature counts", () => {
  const unreadable = signEnvelope(ALICE, STATEMENT_PAYLOAD_TYPE, new TextEncoder().encode("{"));

  test("depends on what is said, and what nobody can read is a statement of no type", () => {
    const judged = (text: string): AttestationVerdict =>
      verifyAttestations(parseAttestations(new TextEncoder().encode(text), "it", false), {
        subject: APP,
        predicateType: null,
        trusted: (type) => ({ "": only(ALICE), [CAPTURE_TYPE]: only(ALICE, MALLORY) })[type] ?? only(BOB),
        policy: null,
        now: NOW,
      });
    const receipt = statement({ predicateType: PROMOTION_TYPE });
    expect(codesOf(judged(formatEnvelope(envelopeOf(statement(), MALLORY))))).toEqual([]);
    expect(codesOf(judged(formatEnvelope(envelopeOf(receipt, BOB))))).toEqual([]);
    expect(codesOf(judged(formatEnvelope(envelopeOf(receipt, MALLORY))))).toEqual(["signature_invalid"]);
    expect(codesOf(judged(formatEnvelope(unreadable)))).toEqual(["statement_invalid"]);
  });

  test("is told beside what nobody can read", () => {
    expect(codesOf(judge(formatEnvelope(unreadable), { trusted: only(BOB) }))).toEqual([
      "signature_invalid",
      "statement_invalid",
    ]);
  });

  test("is not spoilt by a key that does not count", () => {
    const trusted = { ...only(ALICE), distrusted: [{ key: MALLORY.publicKey, why: revoked }] };
    const stranger = { key: keyOf("stranger").publicKey, why: new Failure("key_expired", "nobody asked") };
    const both = formatEnvelope(addSignature(MALLORY, good));
    const verdict = judge(both, { trusted });
    expect(codesOf(verdict)).toEqual([]);
    expect(verdict.accepted[0]?.signers.map(({ keyid }) => keyid)).toEqual([ALICE.publicKey.keyid]);
    expect(
      codesOf(judge(both, { trusted: { ...only(BOB), distrusted: [stranger, ...trusted.distrusted] } })),
    ).toEqual(["signature_invalid", "signature_invalid", "key_revoked"]);
  });

  test("is not looked for under endlessly many keys, also those that do not count", () => {
    const key = { key: BOB.publicKey, why: revoked };
    const trusted = { ...only(ALICE), distrusted: Array.from({ length: LIMITS.signatureTrials }, () => key) };
    expect(refusalOf(() => judge(formatEnvelope(good), { trusted })).code).toBe("evidence_too_large");
  });

  test("may be left to the policy, and what holds without one satisfies no rule", () => {
    const signers = [{ role: "ci", keys: [formsOf(ALICE.publicKey).ssh] }];
    const [accepted] = judge(formatEnvelope(good), {
      ...underPolicy(ruleWith({ signers })),
      trusted: null,
    }).accepted;
    expect([accepted?.rules, accepted?.warnings]).toEqual([["images"], []]);
    const [without] = judge(formatEnvelope(good)).accepted;
    expect([without?.rules, without?.warnings]).toEqual([[], []]);
  });

  test("is left to the rules that the policy enforces: one that only warns lets nobody in", () => {
    const of = (key: typeof ALICE) => [{ keys: [formsOf(key.publicKey).ssh] }];
    const [enforced] = ruleWith({}).rules;
    const rules = (signers: unknown): unknown => ({
      ...POLICY,
      rules: [
        { ...enforced, signers },
        { name: "soon", level: "warn", signers: of(MALLORY) },
      ],
    });
    const by = (key: typeof ALICE, signers: unknown, trusted: TrustedSigners | null): AttestationVerdict =>
      judge(formatEnvelope(envelopeOf(statement(), key)), { ...underPolicy(rules(signers)), trusted });
    expect(codesOf(by(MALLORY, undefined, null))).toEqual(["threshold_not_met"]);
    expect(codesOf(by(MALLORY, of(BOB), null))).toEqual(["threshold_not_met", "policy_denied"]);
    expect(codesOf(by(BOB, of(BOB), null))).toEqual([]);
    expect(codesOf(by(MALLORY, undefined, only(MALLORY)))).toEqual([]);
  });
});
