import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import {
  addSignature,
  envelopeDocument,
  formatEnvelope,
  pae,
  parseEnvelope,
  signEnvelope,
  verifyEnvelope,
  type Envelope,
  type EnvelopeDocument,
} from "../../src/trust/dsse.ts";
import { publicKeyFromBytes, type PublicKey } from "../../src/trust/public-key.ts";
import { ALICE, BOB, MALLORY } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";
import { keyOf } from "./roots.ts";

const TYPE = "http://example.com/HelloWorld";
const BODY = new TextEncoder().encode("hello world");
const signed = signEnvelope(ALICE, TYPE, BODY);
const document = envelopeDocument(signed);
const keys = [ALICE.publicKey, BOB.publicKey];

describe("pae", () => {
  const table: [string, string, Uint8Array, string][] = [
    ["the vector of the specification", TYPE, BODY, "DSSEv1 29 http://example.com/HelloWorld 11 hello world"],
    ["an empty body", "t", new Uint8Array(), "DSSEv1 1 t 0 "],
    ["lengths in bytes, not characters", "é€", new TextEncoder().encode("ü"), "DSSEv1 5 é€ 2 ü"],
    ["a body that looks like another encoding", "t", new TextEncoder().encode(" 0 x"), "DSSEv1 1 t 4  0 x"],
  ];
  test.each(table)("%s", (_what, type, body, encoded) => {
    expect(new TextDecoder().decode(pae(type, body))).toBe(encoded);
  });
});

const urlSafe = (text: string): string => text.replaceAll("+", "-").replaceAll("/", "_");

describe("an envelope that is read", () => {
  test("is the one that was written", () => {
    expect(parseEnvelope(formatEnvelope(signed), "it")).toEqual(signed);
    expect(formatEnvelope(signed)).toBe(JSON.stringify(document));
  });

  const bytes = new Uint8Array([0xfb, 0xff, 0xfe, 0x3e]);
  const odd = envelopeDocument(signEnvelope(ALICE, TYPE, bytes));
  const good: [string, unknown][] = [
    ["URL-safe base64", { ...odd, payload: urlSafe(odd.payload) }],
    ["URL-safe base64 without padding", { ...odd, payload: urlSafe(odd.payload).replaceAll("=", "") }],
    ["foreign members", { ...odd, extra: { a: 1 }, signatures: [{ ...odd.signatures[0], cert: "x" }] }],
    ["no keyid", { ...odd, signatures: [{ sig: odd.signatures[0]?.sig }] }],
    ["an empty keyid", { ...odd, signatures: [{ ...odd.signatures[0], keyid: "" }] }],
    ["the keyid of another tool", { ...odd, signatures: [{ ...odd.signatures[0], keyid: "key-1" }] }],
    ["a foreign signature first", { ...odd, signatures: [{ keyid: "x", sig: "AAAA" }, ...odd.signatures] }],
    ["a signature that is no base64 first", { ...odd, signatures: [{ sig: "%%%" }, ...odd.signatures] }],
  ];
  test.each(good)("is taken with %s", (_what, found) => {
    const verdict = verifyEnvelope(parseEnvelope(JSON.stringify(found), "it"), keys, 1);
    expect(verdict.ok && verdict.payload).toEqual(bytes);
    expect(verdict.signers.map(({ keyid }) => keyid)).toEqual([ALICE.publicKey.keyid]);
  });

  const { payload, payloadType, signatures } = document;
  const bad: [string, string][] = [
    ["nothing", ""],
    ["no object", "[]"],
    ["null", "null"],
    ["no payload", JSON.stringify({ payloadType, signatures })],
    ["a payload that is no string", JSON.stringify({ ...document, payload: 1 })],
    ["a payload with a line break", JSON.stringify({ ...document, payload: `${payload}\n` })],
    ["unused bits in the last character", JSON.stringify({ ...document, payload: "aGVsbG8gd29ybGR=" })],
    ["both alphabets at once", JSON.stringify({ ...document, payload: "+_+_" })],
    ["no payloadType", JSON.stringify({ payload, signatures })],
    ["an empty payloadType", JSON.stringify({ ...document, payloadType: "" })],
    ["no signatures", JSON.stringify({ payload, payloadType })],
    ["signatures that are no list", JSON.stringify({ ...document, signatures: {} })],
    ["a signature that is no object", JSON.stringify({ ...document, signatures: ["x"] })],
    ["a signature that is null", JSON.stringify({ ...document, signatures: [null] })],
    ["a signature without sig", JSON.stringify({ ...document, signatures: [{ keyid: "x" }] })],
    ["a keyid that is no string", JSON.stringify({ ...document, signatures: [{ keyid: 1, sig: "AAAA" }] })],
    ["a misspelt keyid", JSON.stringify({ ...document, signatures: [{ kezid: "x", sig: "AAAA" }] })],
    ["something after it", `${JSON.stringify(document)}{}`],
    ["bytes that are not UTF-8", "\ud800"],
  ];
  test.each(bad)("is refused with %s", (_what, text) => {
    expect(refusalOf(() => parseEnvelope(text, "it")).code).toBe("envelope_malformed");
  });

  test.each([
    ["no keyid", {}],
    ["an empty keyid", { keyid: "" }],
  ])("that has %s names no key, and is written so", (_what, named) => {
    const [signature] = signatures;
    const text = JSON.stringify({ ...document, signatures: [{ ...named, sig: signature?.sig }] });
    const read = parseEnvelope(text, "it");
    expect(read.signatures.map(({ keyid }) => keyid)).toEqual([null]);
    expect(envelopeDocument(read).signatures).toStrictEqual([{ sig: signature?.sig ?? "" }]);
  });

  test("may be signed as often as the limit says", () => {
    const many = Array.from({ length: LIMITS.envelopeSignatures }, () => document.signatures[0]);
    const read = parseEnvelope(JSON.stringify({ ...document, signatures: many }), "it");
    expect(read.signatures).toHaveLength(LIMITS.envelopeSignatures);
  });

  test("is refused when it is too large, too deep or signed too often, each with exit code 10", () => {
    const many = Array.from({ length: LIMITS.envelopeSignatures + 1 }, () => document.signatures[0]);
    const texts = [
      " ".repeat(LIMITS.attestationBytes + 1),
      "[".repeat(LIMITS.jsonDepth + 1),
      JSON.stringify({ ...document, signatures: many }),
    ];
    for (const text of texts) {
      const refusal = refusalOf(() => parseEnvelope(text, "it"));
      expect([refusal.code, refusal.exitCode]).toEqual(["evidence_too_large", 10]);
    }
  });
});

describe("the signatures", () => {
  const both = addSignature(BOB, signed);

  test("of two people are two", () => {
    const verdict = verifyEnvelope(both, keys, 2);
    expect(verdict.ok).toBe(true);
    expect(verdict.refusals).toEqual([]);
  });

  test("of one person stay one when they sign again", () => {
    expect(addSignature(ALICE, both).signatures).toHaveLength(2);
  });

  test("of a stranger count for nothing, and do not stop the others", () => {
    const verdict = verifyEnvelope(addSignature(MALLORY, both), keys, 2);
    expect(verdict.ok).toBe(true);
    expect(verdict.refusals.map(({ code }) => code)).toEqual(["signature_invalid"]);
  });

  const refused: [string, EnvelopeDocument, number, string[]][] = [
    ["one of two wanted", document, 2, ["threshold_not_met"]],
    ["none at all", { ...document, signatures: [] }, 1, ["signature_invalid"]],
    [
      "none at all, two wanted",
      { ...document, signatures: [] },
      2,
      ["threshold_not_met", "signature_invalid"],
    ],
    ["a stranger's", envelopeDocument(signEnvelope(MALLORY, TYPE, BODY)), 1, ["signature_invalid"]],
  ];
  test.each(refused)("%s are refused", (_what, found, threshold, codes) => {
    const verdict = verifyEnvelope(parseEnvelope(JSON.stringify(found), "it"), keys, threshold);
    expect(verdict.ok).toBe(false);
    expect(verdict.refusals.map(({ code }) => code as string)).toEqual(codes);
    expect(verdict.refusals.every(({ exitCode }) => exitCode === 6)).toBe(true);
  });

  test("that do not verify say under which keys, and how many are missing", () => {
    const [alice, bob] = keys.map(({ keyid }) => keyid);
    const messages = (of: readonly PublicKey[], threshold = 1): string[] =>
      verifyEnvelope(addSignature(MALLORY, signed), of, threshold).refusals.map(({ message }) => message);
    expect(messages([BOB.publicKey])).toEqual([
      `signature 1 of 2 does not verify under key ${bob}`,
      `signature 2 of 2 does not verify under key ${bob}`,
    ]);
    expect(messages([])[0]).toBe("signature 1 of 2 does not verify under any of 0 keys");
    expect(messages(keys, 2)).toEqual([
      `1 of the wanted 2 distinct keys signed (${alice})`,
      "signature 2 of 2 does not verify under any of 2 keys",
    ]);
    expect(messages([BOB.publicKey], 2)[0]).toBe("0 of the wanted 2 distinct keys signed");
  });

  test("by a key that is given twice are by the one that was given first", () => {
    const numbered = publicKeyFromBytes(ALICE.publicKey.bytes, "it", new Uint8Array(8));
    for (const of of [
      [numbered, ALICE.publicKey],
      [ALICE.publicKey, numbered],
    ])
      expect(verifyEnvelope(signed, of, 1).signers).toEqual(of.slice(0, 1));
  });

  test("without a key are never enough, and no threshold is below one", () => {
    expect(verifyEnvelope(signed, [], 1).ok).toBe(false);
    expect(() => verifyEnvelope(signed, keys, 0)).toThrow(RangeError);
    expect(() => verifyEnvelope(signed, keys, 1.5)).toThrow(RangeError);
  });
});

describe("a keyid that is not the signer's", () => {
  const own = ALICE.publicKey.keyid;
  const gap = (from: number, to: number): string =>
    own.slice(0, from) + "%".repeat(to - from) + own.slice(to);
  // Each has as many characters of the signer's, from both ends, as it says.
  const table: [string, string, boolean][] = [
    ["altered in one character", gap(20, 21), false],
    ["altered in the first character", gap(0, 1), false],
    ["altered in the last character", gap(43, 44), false],
    ["16 and 16", gap(16, 28), false],
    ["16 and 15", gap(16, 29), true],
    ["15 and 16", gap(15, 28), true],
    ["32 and none", gap(32, 44), false],
    ["31 and none", gap(31, 44), true],
    ["none and 32", gap(0, 12), false],
    ["none and 31", gap(0, 13), true],
    ["the first 32 alone", own.slice(0, 32), false],
    ["the first 31 alone", own.slice(0, 31), true],
    ["the last 32 alone", own.slice(-32), false],
    ["the last 31 alone", own.slice(-31), true],
    ["with something behind it", `${own}%`, false],
    ["with something before it", `%${own}`, false],
    ["of another key", BOB.publicKey.keyid, false],
    ["of another key in the other alphabet", urlSafe(BOB.publicKey.keyid).replaceAll("=", ""), false],
    ["of another tool", "release", true],
  ];
  test.each(table)("%s is passed over or refused as somebody's change", (_what, keyid, passed) => {
    const envelope = { ...signed, signatures: signed.signatures.map((one) => ({ ...one, keyid })) };
    const verdict = verifyEnvelope(envelope, keys, 1);
    expect([verdict.ok, verdict.refusals.map(({ code }) => code)]).toEqual([
      passed,
      passed ? [] : ["signature_invalid"],
    ]);
  });

  test("has no character that counts from both ends", () => {
    const signer = { ...ALICE.publicKey, keyid: "A".repeat(44) };
    const signatures = signed.signatures.map((one) => ({ ...one, keyid: "A".repeat(31) }));
    expect(verifyEnvelope({ ...signed, signatures }, [signer], 1).ok).toBe(true);
  });
});

describe("an envelope with one signature more", () => {
  const people = Array.from({ length: LIMITS.envelopeSignatures }, (_, index) => keyOf(`signer-${index}`));
  const noSignature: Envelope = { ...signed, signatures: [] };
  const full = people.reduce((envelope, key) => addSignature(key, envelope), noSignature);

  test("has as many as anybody reads", () => {
    expect(full.signatures).toHaveLength(LIMITS.envelopeSignatures);
    expect(parseEnvelope(formatEnvelope(full), "it")).toEqual(full);
    // Whoever is among them signs again in the same place.
    const [first = ALICE] = people;
    expect(addSignature(first, full).signatures).toHaveLength(LIMITS.envelopeSignatures);
  });

  test("is not made of one that has them all", () => {
    const refusal = refusalOf(() => addSignature(ALICE, full));
    expect([refusal.code, refusal.message]).toEqual([
      "evidence_too_large",
      "the envelope has 16 signatures; with one more nobody would read it",
    ]);
  });
});
