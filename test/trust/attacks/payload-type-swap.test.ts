import { expect, test } from "bun:test";
import { formatEnvelope, signEnvelope } from "../../../src/trust/dsse.ts";
import { openPolicy, POLICY_PAYLOAD_TYPE } from "../../../src/trust/policy.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "../../../src/trust/statement.ts";
import { repositoryName } from "../../../src/commands/policy-flags.ts";
import {
  ALICE,
  bundleOf,
  codesOf,
  envelopeOf,
  judge,
  NOW,
  POLICY,
  policyBytes,
  statement,
} from "../attestations.ts";

test("a type changed after signing breaks the signature", () => {
  const text = formatEnvelope({ ...envelopeOf(), payloadType: "application/json" });
  expect(codesOf(judge(text))).toEqual(["signature_invalid", "payload_type_mismatch"]);
});

test.each([
  "application/json",
  "application/vnd.in-toto+JSON",
  "application/vnd.in-toto+json; a=b",
  POLICY_PAYLOAD_TYPE,
])("a statement that was signed as %s is no attestation", (type) => {
  const signed = signEnvelope(ALICE, type, formatStatement(statement()));
  expect(codesOf(judge(formatEnvelope(signed)))).toEqual(["payload_type_mismatch"]);
});

test("the type of a bundle's envelope is held to the same", () => {
  const bundle = bundleOf();
  bundle.dsseEnvelope.payloadType = "text/plain";
  expect(codesOf(judge(JSON.stringify(bundle)))).toContain("payload_type_mismatch");
});

test("a policy that was signed as a statement is no policy", () => {
  const signed = signEnvelope(ALICE, STATEMENT_PAYLOAD_TYPE, policyBytes(POLICY));
  const opened = openPolicy(
    signed,
    "it",
    { keys: [ALICE.publicKey], threshold: 1, distrusted: [] },
    NOW,
    repositoryName,
  );
  expect(opened.ok ? [] : opened.refusals.map(({ code }) => code)).toEqual(["payload_type_mismatch"]);
});
