import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/base/failure.ts";
import { SIGNATURE_BYTES, verify } from "../../src/trust/ed25519.ts";
import { publicKeyFromBytes, type PublicKey } from "../../src/trust/public-key.ts";
import { StreamingVerifier } from "../../src/trust/streaming-verifier.ts";

/** Published cases, held against both ways to verify; they must never disagree. */
const FOLDER = process.env["WAYBILL_CONFORMANCE"];
const absent = FOLDER === undefined;

function load(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER ?? "", "ed25519", name), "utf8"));
}

function verdict(key: string, message: string, signature: string): boolean {
  const [keyBytes, messageBytes, signatureBytes] = [key, message, signature].map(
    (hex) => new Uint8Array(Buffer.from(hex, "hex")),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  const strict = verify(signatureBytes, messageBytes, keyBytes);
  expect(streamed(keyBytes, messageBytes, signatureBytes)).toBe(strict);
  return strict;
}

function streamed(keyBytes: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  let key: PublicKey;
  try {
    key = publicKeyFromBytes(keyBytes, "the key");
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return false;
  }
  if (signature.length !== SIGNATURE_BYTES) {
    expect(() => new StreamingVerifier([key], signature)).toThrow(Failure);
    return false;
  }
  const verifier = new StreamingVerifier([key], signature);
  for (const byte of message) verifier.update(Uint8Array.of(byte));
  return verifier.finish() === key;
}

type Wycheproof = {
  numberOfTests: number;
  testGroups: {
    publicKey: { pk: string };
    tests: { tcId: number; msg: string; sig: string; result: "valid" | "invalid" }[];
  }[];
};

test.skipIf(absent)("wycheproof: every case has the published result", () => {
  const { numberOfTests, testGroups } = load("wycheproof.json") as Wycheproof;
  const wrong: number[] = [];
  let count = 0;
  for (const { publicKey, tests } of testGroups) {
    for (const { tcId, msg, sig, result } of tests) {
      count++;
      if (verdict(publicKey.pk, msg, sig) !== (result === "valid")) wrong.push(tcId);
    }
  }
  expect(count).toBe(numberOfTests);
  expect(count).toBeGreaterThanOrEqual(150);
  expect(wrong).toEqual([]);
});

test.skipIf(absent)("speccheck: every edge case is refused", () => {
  const cases = load("speccheck.json") as { message: string; pub_key: string; signature: string }[];
  expect(cases.length).toBeGreaterThanOrEqual(12);
  expect(cases.filter((one) => verdict(one.pub_key, one.message, one.signature))).toEqual([]);
});

test.skipIf(absent)("RFC 8032: the known answers verify, and not for another message", () => {
  const cases = load("rfc8032.json") as { pub: string; msg: string; sig: string }[];
  expect(cases.length).toBeGreaterThanOrEqual(4);
  expect(cases.filter((one) => !verdict(one.pub, one.msg, one.sig))).toEqual([]);
  expect(cases.filter((one) => verdict(one.pub, `${one.msg}00`, one.sig))).toEqual([]);
});

// RFC 8032 §7.1, TEST 2: a fresh clone has at least this one.
test("a known answer verifies both ways", () => {
  const key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
  const signature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
  expect(verdict(key, "72", signature)).toBe(true);
  expect(verdict(key, "73", signature)).toBe(false);
  expect(verdict(key, "72", signature.slice(2))).toBe(false);
  expect(verdict(key, "72", `${signature}00`)).toBe(false);
  expect(verdict(key.slice(2), "72", signature)).toBe(false);
});
