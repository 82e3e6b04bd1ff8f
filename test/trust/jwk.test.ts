import { describe, expect, test } from "bun:test";
import {
  isPrivateJwk,
  looksLikeJwk,
  parsePrivateJwk,
  parsePublicJwk,
  privateJwk,
  publicJwk,
} from "../../src/trust/jwk.ts";
import { refusalOf } from "./refusal.ts";

const seed = new Uint8Array(32).fill(0xfb);
const half = new Uint8Array(32).fill(0xef);
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const text = (change: object): string => JSON.stringify({ ...privateJwk(seed, half), ...change });

test("a JWK has these members", () => {
  expect(publicJwk(half)).toEqual({ kty: "OKP", crv: "Ed25519", x: base64url(half) });
  expect(privateJwk(seed, half)).toEqual({ ...publicJwk(half), d: base64url(seed) });
});

test("what may be one, and what is private whatever else is wrong with it", () => {
  const texts = ["{}", '{"d":1}', '{"d" \n:1}', '{"x":"d"}', '["d":1]', ' {"d":1}', ""];
  expect(texts.map(looksLikeJwk)).toEqual([true, true, true, true, false, false, false]);
  expect(texts.map(isPrivateJwk)).toEqual([false, true, true, false, false, false, false]);
});

describe("a JWK is read", () => {
  test.each([{}, { use: "sig" }, { alg: "EdDSA" }, { alg: "Ed25519" }, { kid: "x", key_ops: ["sign"] }])(
    "with %j",
    (change) => {
      expect(parsePublicJwk(text(change), "it")).toEqual(half);
      expect(parsePrivateJwk(text(change), "it")).toEqual({ seed, claimed: [half], keyNumber: null });
    },
  );

  const wanted = (name: string, found: string, words: string): string =>
    `it is JSON whose "${name}" is ${found}; wanted a JWK with ${words}`;
  const coordinate = 'it is a JWK whose "x" is not 32 bytes in base64url without padding';
  const table: [string, string, string][] = [
    ["is a list", "[]", "it is no JSON object"],
    ["is a set", JSON.stringify({ keys: [] }), "it is a set of keys; wanted one JWK"],
    ["says no kind", text({ kty: undefined }), wanted("kty", "missing", "OKP")],
    ["is of another kind", text({ kty: "EC" }), wanted("kty", '"EC"', "OKP")],
    ["is of no kind", text({ kty: 1 }), wanted("kty", "1", "OKP")],
    ["is of another curve", text({ crv: "Ed448" }), wanted("crv", '"Ed448"', "Ed25519")],
    ["is for encryption", text({ use: "enc" }), wanted("use", '"enc"', "sig")],
    ["is for another algorithm", text({ alg: "ES256" }), wanted("alg", '"ES256"', "EdDSA or Ed25519")],
    ["has no x", text({ x: undefined }), coordinate],
    ["has an x that is no text", text({ x: 1 }), coordinate],
    ["has a short x", text({ x: base64url(half.slice(1)) }), coordinate],
    ["has a long x", text({ x: base64url(Uint8Array.of(...half, 1)) }), coordinate],
    ["has an x with padding", text({ x: `${base64url(half)}=` }), coordinate],
    [
      "has an x in the other alphabet",
      text({ x: Buffer.from(half).toString("base64").slice(0, 43) }),
      coordinate,
    ],
    ["has an x with something before it", text({ x: ` ${base64url(half)}` }), coordinate],
  ];
  test.each(table)("but not when it %s", (_what, found, message) => {
    for (const read of [parsePublicJwk, parsePrivateJwk]) {
      const refusal = refusalOf(() => read(found, "it"));
      // Of a private one the first coordinate that is looked at is d.
      expect([refusal.code, refusal.message]).toEqual(["key_invalid", message]);
    }
  });

  test("but not as a private one without its half of that", () => {
    const refusal = refusalOf(() => parsePrivateJwk(text({ d: undefined }), "it"));
    expect([refusal.code, refusal.message]).toEqual([
      "key_invalid",
      "it is a public JWK; signing needs the private key",
    ]);
    expect(refusalOf(() => parsePrivateJwk(text({ d: "AAAA" }), "it")).message).toContain(
      '"d" is not 32 bytes',
    );
    expect(refusalOf(() => parsePublicJwk("{", "it")).code).toBe("key_invalid");
  });
});
