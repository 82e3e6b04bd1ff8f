import { describe, expect, test } from "bun:test";
import { promotionStatement } from "../../src/trust/attestation-promotion.ts";
import { PROMOTION_TYPE } from "../../src/trust/attestation-types.ts";
import { formatBundle } from "../../src/trust/bundle.ts";
import { envelopeDocument, formatEnvelope } from "../../src/trust/dsse.ts";
import { pointsOf } from "../support/points.ts";
import { ALICE, BOB, codesOf, envelopeOf, judge, MALLORY, statement } from "./attestations.ts";
import { RECEIPT } from "./receipts.ts";

const RECEIPT_BITS = pointsOf("each bit and each cut of a receipt, bundled and bare");

/** Everything that somebody without the key can do to what was signed, each of it refused. */

const bare = envelopeDocument(envelopeOf());
const [signature = { sig: "" }] = bare.signatures;
const text = formatEnvelope(envelopeOf());

/** Another spelling of the same bytes: the unused bits of the last character, a line break, a letter too many. */
function spelledOtherwise(base64: string): string[] {
  const end = /[A-Za-z0-9+/](?==+$)/u;
  const next = (letter: string): string => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 1);
  return [
    ...(end.test(base64) ? [base64.replace(end, next)] : []),
    `${base64.slice(0, 20)}\\n${base64.slice(20)}`,
    `${base64.slice(0, 20)} ${base64.slice(20)}`,
    `${base64}=`,
    `${base64}*`,
  ];
}

const envelopes: [string, string | string[]][] = [
  ["payload type swapped", JSON.stringify({ ...bare, payloadType: "application/json" })],
  ["payload type in another case", JSON.stringify({ ...bare, payloadType: "application/vnd.in-toto+JSON" })],
  ["payload type with a space", JSON.stringify({ ...bare, payloadType: `${bare.payloadType} ` })],
  [
    "payload in a second spelling",
    spelledOtherwise(bare.payload).map((payload) => text.replace(bare.payload, payload)),
  ],
  [
    "signature in a second spelling",
    spelledOtherwise(signature.sig).map((sig) => text.replace(signature.sig, sig)),
  ],
  ["payload twice", text.replace("{", `{"payload":"${bare.payload}",`)],
  ["another payload before the signed one", text.replace("{", '{"payload":"e30=",')],
  ["another payload behind the signed one", text.replace(/\}$/u, ',"payload":"e30="}')],
  ["a case twin of payload", text.replace("{", '{"Payload":"e30=",')],
  ["a case twin of payloadType", text.replace("{", '{"payloadtype":"x",')],
  ["a case twin of signatures", text.replace("{", '{"Signatures":[],')],
  ["a snake twin of payloadType", text.replace("{", '{"payload_type":"x",')],
  ["a case twin inside a signature", text.replace('"sig":', '"Sig":"AAAA","sig":')],
  ["a member twice inside a signature", text.replace('"sig":', '"sig":"AAAA","sig":')],
  ["the keyid of another key", text.replace(ALICE.publicKey.keyid, BOB.publicKey.keyid)],
  [
    "a keyid with one letter changed",
    text.replace(ALICE.publicKey.keyid, `!${ALICE.publicKey.keyid.slice(1)}`),
  ],
  ["a keyid with one letter less", text.replace(ALICE.publicKey.keyid, ALICE.publicKey.keyid.slice(1))],
  ["no signature", JSON.stringify({ ...bare, signatures: [] })],
  ["an empty signature", JSON.stringify({ ...bare, signatures: [{ ...signature, sig: "" }] })],
  [
    "a signature of zeros",
    JSON.stringify({ ...bare, signatures: [{ ...signature, sig: Buffer.alloc(64).toString("base64") }] }),
  ],
  [
    "a signature cut short",
    JSON.stringify({ ...bare, signatures: [{ ...signature, sig: signature.sig.slice(0, 84) }] }),
  ],
  [
    "the signature of another statement",
    JSON.stringify({
      ...bare,
      signatures: envelopeDocument(envelopeOf(statement({ predicateType: PROMOTION_TYPE }))).signatures,
    }),
  ],
  ["the signature of a stranger", formatEnvelope(envelopeOf(undefined, MALLORY))],
  ["something behind it", `${text}{}`],
  ["the end missing", text.slice(0, -1)],
];
describe("an envelope with", () => {
  test.each(envelopes)("%s", (_what, changed) => {
    for (const one of [changed].flat()) {
      expect(one).not.toBe(text);
      expect(judge(one).accepted).toEqual([]);
    }
  });
});

describe("a receipt, its bits and its beginnings one after the other, bundled and bare", () => {
  const envelope = envelopeOf(promotionStatement(RECEIPT));
  for (const [form, whole] of [
    ["bundle", formatBundle(envelope)],
    ["envelope", formatEnvelope(envelope)],
  ] as const) {
    test(form, () => {
      const bytes = new TextEncoder().encode(whole);
      expect(judge(bytes, { predicateType: PROMOTION_TYPE }).accepted).toHaveLength(1);
      for (let at = 0; at < whole.trimEnd().length; at++) {
        RECEIPT_BITS.check(() => {
          const verdict = judge(bytes.subarray(0, at), { predicateType: PROMOTION_TYPE });
          if (verdict.accepted.length > 0) throw new Error(`cut at ${at} was accepted`);
        });
        for (let bit = 1; bit < 256; bit <<= 1) {
          const copy = bytes.slice();
          copy[at] = (copy[at] ?? 0) ^ bit;
          RECEIPT_BITS.check(() => {
            const verdict = judge(copy, { predicateType: PROMOTION_TYPE });
            if (verdict.accepted.length > 0) throw new Error(`byte ${at} ^ ${bit} was accepted`);
          });
        }
      }
    });
  }
});

describe("a threshold of two is not met by", () => {
  const two = { trusted: { keys: [ALICE.publicKey, BOB.publicKey], threshold: 2, distrusted: [] } };
  const { signatures } = bare;
  const unnamed = { sig: signature.sig };
  test.each([
    ["two signatures by one key", JSON.stringify({ ...bare, signatures: [...signatures, ...signatures] })],
    ["one of them without its name", JSON.stringify({ ...bare, signatures: [...signatures, unnamed] })],
    [
      "one key and a stranger",
      JSON.stringify({
        ...bare,
        signatures: [...signatures, ...envelopeDocument(envelopeOf(undefined, MALLORY)).signatures],
      }),
    ],
  ])("%s", (_what, changed) => {
    expect(codesOf(judge(changed, two))).toContain("threshold_not_met");
  });
});
