import { expect, test } from "bun:test";
import { signEnvelope, type Envelope } from "../../../src/trust/dsse.ts";
import { openPolicy, POLICY_PAYLOAD_TYPE } from "../../../src/trust/policy.ts";
import { repositoryName } from "../../../src/commands/policy-flags.ts";
import { ALICE, BOB, MALLORY, NOW, POLICY, policyBytes } from "../attestations.ts";

/** A policy that is not to be trusted allows nothing: every refusal is exit code 6. */
function refusalsOf(envelope: Envelope, now: Date = NOW, threshold = 1): string[] {
  const opened = openPolicy(
    envelope,
    "the policy",
    { keys: [ALICE.publicKey, BOB.publicKey], threshold, distrusted: [] },
    now,
    repositoryName,
  );
  if (opened.ok) return [];
  expect(opened.refusals.map(({ exitCode }) => exitCode)).toEqual(opened.refusals.map(() => 6));
  return opened.refusals.map(({ code }) => code);
}

const signed = signEnvelope(BOB, POLICY_PAYLOAD_TYPE, policyBytes(POLICY));

test("a good one opens", () => expect(refusalsOf(signed)).toEqual([]));

test("one without a signature is refused", () =>
  expect(refusalsOf({ ...signed, signatures: [] })).toEqual(["signature_invalid"]));

test("a stranger's is refused", () =>
  expect(refusalsOf(signEnvelope(MALLORY, POLICY_PAYLOAD_TYPE, policyBytes(POLICY)))).toEqual([
    "signature_invalid",
  ]));

test("one that was changed after signing is refused and never read", () => {
  const payload = policyBytes({ ...POLICY, rules: "not even valid" });
  expect(refusalsOf({ ...signed, payload })).toEqual(["signature_invalid"]);
});

test("one with too few signers is refused", () =>
  expect(refusalsOf(signed, NOW, 2)).toEqual(["threshold_not_met"]));

test.each([
  ["2030-01-01T00:00:00Z", "policy_expired"],
  ["1970-01-01T00:00:00Z", "policy_not_yet_valid"],
])("at %s it is refused", (now, code) => expect(refusalsOf(signed, new Date(now))).toEqual([code]));
