import { createHash } from "node:crypto";
import { describe, expect, test } from "bun:test";
import { Point } from "@noble/ed25519";
import { commitmentOf, expandSeed, expectedCommitment, responseTo, verify } from "../../src/trust/ed25519.ts";
import { signBytes } from "../../src/trust/byte-signer.ts";
import { ALICE } from "./attestations.ts";

const ORDER = Point.CURVE().n;
const key = ALICE.publicKey.bytes;
const message = new TextEncoder().encode("what was signed");
const signature = signBytes(ALICE, message);
const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex").toReversed());

describe("a signature", () => {
  test("and its key have their lengths", () => {
    expect(verify(signature, message, key)).toBe(true);
    for (const cut of [signature.subarray(1), signature.subarray(0, -1), new Uint8Array([...signature, 0])])
      expect(verify(cut, message, key)).toBe(false);
    for (const cut of [key.subarray(1), key.subarray(0, -1), new Uint8Array([...key, 0])])
      expect(verify(signature, message, cut)).toBe(false);
  });

  test("is the same when it is made of its parts", () => {
    const sha512 = (...parts: readonly Uint8Array[]): Uint8Array =>
      new Uint8Array(createHash("sha512").update(Buffer.concat(parts)).digest());
    const { prefix, scalar } = expandSeed(ALICE.seed());
    const { nonce, encoded } = commitmentOf(sha512(prefix, message));
    const response = responseTo(sha512(encoded, key, message), nonce, scalar);
    expect([...encoded, ...response]).toEqual([...signature]);
  });

  test("has a response below the order of the group", () => {
    const none = new Uint8Array(64);
    // With a challenge of zero nothing of the key is left: what must be carried is the response times B.
    expect(expectedCommitment(littleEndian(ORDER - 1n), none, key)).toEqual(Point.BASE.negate().toBytes());
    expect(expectedCommitment(littleEndian(1n), none, key)).toEqual(Point.BASE.toBytes());
    expect(expectedCommitment(littleEndian(ORDER), none, key)).toBeNull();
    expect(expectedCommitment(littleEndian(ORDER + 1n), none, key)).toBeNull();
  });

  test("is by a key in its canonical form", () => {
    const above = Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f);
    expect(() => expectedCommitment(littleEndian(1n), new Uint8Array(64), above)).toThrow();
  });
});
