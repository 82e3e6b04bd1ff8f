import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { promotionStatement } from "../../src/trust/attestation-promotion.ts";
import { PROMOTION_TYPE } from "../../src/trust/attestation-types.ts";
import { formatBundle } from "../../src/trust/bundle.ts";
import { envelopeDocument, formatEnvelope, signEnvelope } from "../../src/trust/dsse.ts";
import { formatStatement, STATEMENT_PAYLOAD_TYPE } from "../../src/trust/statement.ts";
import { distrust } from "../../src/trust/trusted-key.ts";
import {
  ALICE,
  APP,
  BOB,
  bundleOf,
  codesOf,
  digestOf,
  envelopeOf,
  judge,
  MALLORY,
  NOW,
  statement,
} from "./attestations.ts";
import { pointsOf } from "../support/points.ts";
import { attacker, judged, signed, victim } from "./attacks/attack.ts";
import { RECEIPT } from "./receipts.ts";
import { trusted } from "./roots.ts";

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

describe("a bundle with", () => {
  const changes: [string, (bundle: ReturnType<typeof bundleOf>) => void][] = [
    [
      "the hint of another key",
      (bundle) => (bundle.verificationMaterial.publicKey = { hint: BOB.publicKey.keyid }),
    ],
    [
      "a keyid that is not its hint",
      (bundle) => (bundle.dsseEnvelope.signatures = [{ ...signature, keyid: "x" }]),
    ],
    ["two signatures", (bundle) => (bundle.dsseEnvelope.signatures = [{ ...signature }, { ...signature }])],
    [
      "a certificate beside its key",
      (bundle) => (bundle.verificationMaterial["certificate"] = { rawBytes: "AAAA" }),
    ],
    ["a message signature beside its envelope", (bundle) => (bundle["messageSignature"] = {})],
    ["a case twin of its envelope", (bundle) => (bundle["dsseenvelope"] = {})],
  ];
  test.each(changes)("%s", (_what, change) => {
    const bundle = bundleOf();
    change(bundle);
    expect(judge(JSON.stringify(bundle)).accepted).toEqual([]);
  });
});

test("a bundle that is signed with a certificate alone says that nobody here checks it", () => {
  const bundle = bundleOf();
  bundle.verificationMaterial = { certificate: { rawBytes: "AAAA" } };
  const [refusal] = judge(JSON.stringify(bundle)).refusals;
  expect(refusal?.message).toContain("is signed with a certificate");
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

describe("a subject that matches by", () => {
  const subjects: [string, { name: string; digest: Record<string, string> }][] = [
    ["name only", { name: "app", digest: { sha256: digestOf("x") } }],
    ["its digest as a name", { name: APP, digest: { sha256: digestOf("x") } }],
    ["its digest under another algorithm", { name: "app", digest: { sha512: APP } }],
    ["its digest in upper case", { name: "app", digest: { sha256: APP.toUpperCase() } }],
    ["its digest with a prefix", { name: "app", digest: { sha256: `sha256:${APP}` } }],
  ];
  test.each(subjects)("%s", (_what, subject) => {
    const said = formatStatement(statement({ subjects: [subject] }));
    const verdict = judge(formatEnvelope(signEnvelope(ALICE, STATEMENT_PAYLOAD_TYPE, said)));
    expect(codesOf(verdict)).toContain("subject_mismatch");
  });
});

describe("a key that is", () => {
  const at = new Date(NOW.getTime() - 1);
  test.each([
    ["expired", { validUntil: at }, "key_expired"],
    ["not valid yet", { validFrom: new Date(NOW.getTime() + 1) }, "key_not_yet_valid"],
    ["revoked", { revocation: { at, reason: null, stillTrusted: [] } }, "key_revoked"],
  ])("%s", (_what, changes, code) => {
    const why = distrust(trusted("ci", changes), "build", { name: "app", sha256: APP }, NOW);
    if (why === null) throw new Failure("internal_error", "it is trusted");
    expect<string>(why.code).toBe(code);
    const verdict = judge(text, {
      trusted: { keys: [], threshold: 1, distrusted: [{ key: ALICE.publicKey, why }] },
    });
    expect(verdict.accepted).toEqual([]);
    expect(codesOf(verdict)).toContain(code);
  });
});

describe("a detached signature", () => {
  const detached: [string, () => Promise<[string, string]>, string][] = [
    [
      "in another namespace",
      async () => ["app", await signed(victim, "app", "ssh", "git")],
      "namespace_mismatch",
    ],
    ["of another file", async () => ["app", await signed(victim, "other", "minisign")], "signature_invalid"],
    ["by another key", async () => ["app", await signed(attacker, "app", "minisign")], "signature_invalid"],
    [
      "with another trusted comment",
      async () => ["app", (await signed(victim, "app", "minisign")).replace("file:app", "file:xpp")],
      "trusted_comment_invalid",
    ],
  ];
  test.each(detached)("%s", async (_what, make, code) => {
    const [bytes, file] = await make();
    const verdict = await judged(bytes, file);
    expect(verdict.accepted).toEqual([]);
    expect<string[]>(verdict.refusals.map((one) => one.code)).toContain(code);
  });

  test("of legacy minisign without its flag", async () => {
    const lines = (await signed(victim, "app", "minisign")).split("\n");
    const label = Buffer.from(lines[1] ?? "", "base64");
    label.write("Ed", 0, "latin1");
    const legacy = [lines[0], label.toString("base64"), ...lines.slice(2)].join("\n");
    const verdict = await judged("app", legacy);
    expect(verdict.accepted).toEqual([]);
    expect<string[]>(verdict.refusals.map(({ code }) => code)).toContain("signature_legacy");
  });
});
