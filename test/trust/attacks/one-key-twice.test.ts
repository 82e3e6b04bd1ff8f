import { expect, test } from "bun:test";
import { addSignature, formatEnvelope, type Envelope } from "../../../src/trust/dsse.ts";
import { ALICE, BOB, codesOf, envelopeOf, judge } from "../attestations.ts";

/** Two of two are wanted. */
const two = { trusted: { keys: [ALICE.publicKey, BOB.publicKey], threshold: 2, distrusted: [] } };
const alone = envelopeOf();
const [signature] = alone.signatures;

const tricks: [string, Envelope][] = [
  ["the same signature twice", { ...alone, signatures: [...alone.signatures, ...alone.signatures] }],
  [
    "the second one under another name",
    { ...alone, signatures: [...alone.signatures, ...(signature ? [{ ...signature, keyid: "bob" }] : [])] },
  ],
  [
    "the second one under the other key's id",
    {
      ...alone,
      signatures: [...alone.signatures, ...(signature ? [{ ...signature, keyid: BOB.publicKey.keyid }] : [])],
    },
  ],
];

test.each(tricks)("%s is one signer", (_how, envelope) => {
  const verdict = judge(formatEnvelope(envelope), two);
  expect(verdict.accepted).toEqual([]);
  expect(codesOf(verdict)).toContain("threshold_not_met");
});

test("the same line twice is one signer", () => {
  const line = formatEnvelope(alone);
  expect(codesOf(judge(`${line}\n${line}\n`, two, true))).toContain("threshold_not_met");
});

test("one key that is trusted twice is one signer", () => {
  const twice = { trusted: { keys: [ALICE.publicKey, ALICE.publicKey], threshold: 2, distrusted: [] } };
  expect(codesOf(judge(formatEnvelope(alone), twice))).toEqual(["threshold_not_met"]);
});

test("two people are two, in one envelope or on two lines", () => {
  expect(judge(formatEnvelope(addSignature(BOB, alone)), two).accepted).toHaveLength(1);
  const lines = [alone, envelopeOf(undefined, BOB)].map(formatEnvelope).join("\n");
  expect(judge(lines, two, true).accepted[0]?.signers).toHaveLength(2);
});
