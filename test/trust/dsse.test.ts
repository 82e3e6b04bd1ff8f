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
  type EnvelopeDocument,
} from "../../src/trust/dsse.ts";
import { ALICE, BOB, MALLORY } from "./attestations.ts";
import { refusalOf } from "./refusal.ts";

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

  test("without a key are never enough, and no threshold is below one", () => {
    expect(verifyEnvelope(signed, [], 1).ok).toBe(false);
    expect(() => verifyEnvelope(signed, keys, 0)).toThrow(RangeError);
    expect(() => verifyEnvelope(signed, keys, 1.5)).toThrow(RangeError);
  });
});
