import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Hasher, sha256Of } from "../../src/base/hashing.ts";
import { referenceSha256 } from "../../src/base/reference-hashing.ts";

/** FIPS 180-4's examples, and the empty message. */
const KNOWN: [string, string][] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
];

test.each(KNOWN)("the published digest of %j", (text, digest) => {
  expect(String(sha256Of(text))).toBe(digest);
  expect(referenceSha256(new TextEncoder().encode(text))).toBe(digest);
});

test("a million letters", () => {
  const digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  expect(String(sha256Of("a".repeat(1_000_000)))).toBe(digest);
});

describe("the engine equals the reference", () => {
  // Around the block of 64 bytes and the 56 after which the length needs a block of its own.
  const LENGTHS = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 65_536];
  test.each(LENGTHS)("%d bytes", (length) => {
    const bytes = new Uint8Array(length).map((_, index) => (index * 31) % 251);
    expect(String(sha256Of(bytes))).toBe(referenceSha256(bytes));
  });

  test("however the bytes are cut into pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (pieces) => {
        const hasher = new Hasher();
        for (const piece of pieces) hasher.update(piece);
        expect(String(hasher.digest())).toBe(referenceSha256(new Uint8Array(Buffer.concat(pieces))));
      }),
    );
  });

  test("over a part of a larger buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, from, to) => {
        const part = bytes.subarray(from, to);
        expect(String(sha256Of(part))).toBe(referenceSha256(Uint8Array.from(part)));
      }),
    );
  });

  test("for text, which is hashed as UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(String(sha256Of(text))).toBe(referenceSha256(new TextEncoder().encode(text)));
      }),
    );
  });
});

test("a digest is not taken twice from one hasher", () => {
  const hasher = new Hasher().update(new Uint8Array(3));
  hasher.digest();
  expect(() => hasher.digest()).toThrow();
});
