import { expect, test } from "bun:test";
import { formatEnvelope } from "../../../src/trust/dsse.ts";
import { ALICE, BOB, bundleOf, codesOf, envelopeOf, judge, MALLORY } from "../attestations.ts";

/** A keyid is not signed: it makes nothing accepted. */
function labelled(key: typeof ALICE, keyid: string): string {
  const envelope = envelopeOf(undefined, key);
  return formatEnvelope({ ...envelope, signatures: envelope.signatures.map((one) => ({ ...one, keyid })) });
}

test("a stranger's signature under a trusted key's id is refused", () => {
  const verdict = judge(labelled(MALLORY, ALICE.publicKey.keyid));
  expect(verdict.accepted).toEqual([]);
  expect(codesOf(verdict)).toEqual(["signature_invalid"]);
});

test("a bundle whose hint and keyid both lie is refused", () => {
  const bundle = bundleOf(undefined, MALLORY);
  bundle.verificationMaterial.publicKey = { hint: ALICE.publicKey.keyid };
  bundle.dsseEnvelope.signatures = bundle.dsseEnvelope.signatures.map((one) => ({
    ...one,
    keyid: ALICE.publicKey.keyid,
  }));
  expect(codesOf(judge(JSON.stringify(bundle)))).toEqual(["signature_invalid"]);
});

test("a trusted signature that names another key of ours is refused: somebody changed it", () => {
  expect(codesOf(judge(labelled(ALICE, BOB.publicKey.keyid)))).toEqual(["signature_invalid"]);
});

test("a name of another tool's is a hint, and no reason to refuse", () => {
  for (const keyid of ["release-key", "a".repeat(64), "SHA256:abcdef"])
    expect(judge(labelled(ALICE, keyid)).accepted).toHaveLength(1);
});
