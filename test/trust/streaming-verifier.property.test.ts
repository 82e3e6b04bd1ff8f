import { expect, test } from "bun:test";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as nativeSign,
  verify as nativeVerify,
} from "node:crypto";
import * as fc from "fast-check";
import { Point, verify as nobleVerify } from "@noble/ed25519";
import { commitmentOf, expandSeed, responseTo, SPKI_PREFIX, verify } from "../../src/trust/ed25519.ts";
import { encodePkcs8 } from "../../src/trust/key-der.ts";
import type { PublicKey } from "../../src/trust/public-key.ts";
import { SigningKey } from "../../src/trust/signing-key.ts";
import { signBytes } from "../../src/trust/byte-signer.ts";
import { StreamingVerifier } from "../../src/trust/streaming-verifier.ts";

const seeds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((seed) => seed.some((byte) => byte !== 0));
const messages = fc.uint8Array({ maxLength: 2_000 });

function streamed(
  keys: readonly PublicKey[],
  message: Uint8Array,
  signature: Uint8Array,
  cuts: readonly number[] = [],
): PublicKey | null {
  const verifier = new StreamingVerifier(keys, signature);
  const places = [0, ...cuts.map((cut) => cut % (message.length + 1)), message.length].sort((a, b) => a - b);
  const buffer = new Uint8Array(message.length);
  places.slice(1).forEach((end, index) => {
    const piece = message.slice(places[index], end);
    // One buffer for all pieces, as a file reader has it.
    buffer.set(piece);
    verifier.update(buffer.subarray(0, piece.length));
  });
  return verifier.finish();
}

function nativeKey(key: PublicKey): ReturnType<typeof createPublicKey> {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key.bytes]), format: "der", type: "spki" });
}

test("streaming, strict and the runtime's verifier agree on any key, message and chunking", () => {
  fc.assert(
    fc.property(seeds, messages, fc.array(fc.nat(), { maxLength: 8 }), (seed, message, cuts) => {
      const key = new SigningKey(seed, "the key");
      const native = createPrivateKey({ key: Buffer.from(encodePkcs8(seed)), format: "der", type: "pkcs8" });
      const signature = new Uint8Array(nativeSign(null, message, native));
      expect(signBytes(key, message)).toEqual(signature);
      expect(streamed([key.publicKey], message, signature, cuts)).toBe(key.publicKey);
      expect(verify(signature, message, key.publicKey.bytes)).toBe(true);
      expect(nativeVerify(null, message, nativeKey(key.publicKey), signature)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("any single flipped bit of signature, message or key is refused", () => {
  fc.assert(
    fc.property(seeds, messages, fc.nat(), (seed, message, place) => {
      const key = new SigningKey(seed, "the key");
      const signature = signBytes(key, message);
      const flipped = (bytes: Uint8Array): Uint8Array => {
        const copy = bytes.slice();
        const bit = place % (bytes.length * 8);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return copy;
      };
      const wrongSignature = flipped(signature);
      expect(streamed([key.publicKey], message, wrongSignature)).toBeNull();
      expect(verify(wrongSignature, message, key.publicKey.bytes)).toBe(false);
      if (message.length > 0) {
        expect(streamed([key.publicKey], flipped(message), signature)).toBeNull();
        expect(verify(signature, flipped(message), key.publicKey.bytes)).toBe(false);
      }
      expect(verify(signature, message, flipped(key.publicKey.bytes))).toBe(false);
    }),
    { numRuns: 120 },
  );
});

test("S + L, the malleable twin of every signature, is refused", () => {
  fc.assert(
    fc.property(seeds, messages, (seed, message) => {
      const key = new SigningKey(seed, "the key");
      const signature = signBytes(key, message);
      const s = BigInt(`0x${Buffer.from(signature.slice(32)).reverse().toString("hex")}`) + Point.CURVE().n;
      signature.set(Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse(), 32);
      expect(streamed([key.publicKey], message, signature)).toBeNull();
      expect(verify(signature, message, key.publicKey.bytes)).toBe(false);
    }),
    { numRuns: 40 },
  );
});

test("the key that signed is found among others, wherever it stands", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(seeds, { minLength: 2, maxLength: 5, selector: String }),
      fc.nat(),
      (all, pick) => {
        const keys = all.map((seed) => new SigningKey(seed, "the key"));
        const signer = keys[pick % keys.length];
        if (signer === undefined) throw new Error("no signer");
        const message = new Uint8Array([1, 2, 3]);
        const signature = signBytes(signer, message);
        const publicKeys = keys.map((key) => key.publicKey);
        expect(streamed(publicKeys, message, signature)).toBe(signer.publicKey);
        const others = publicKeys.filter((key) => key !== signer.publicKey);
        expect(streamed(others, message, signature)).toBeNull();
      },
    ),
    { numRuns: 30 },
  );
});

test("without keys nothing verifies", () => {
  expect(streamed([], new Uint8Array(), new Uint8Array(64))).toBeNull();
});

// The owner of a good key can still sign with a torsion component in R. Verifiers that clear the cofactor take it;
// Go, BoringSSL and both of our ways do not.
test("a residue of small order in R is refused both ways", () => {
  const key = new SigningKey(crypto.getRandomValues(new Uint8Array(32)), "the key");
  const message = new Uint8Array([7]);
  const { nonce, encoded } = commitmentOf(crypto.getRandomValues(new Uint8Array(64)));
  const order2 = Point.fromHex(`ec${"ff".repeat(30)}7f`);
  const sign = (commitment: Uint8Array): Uint8Array => {
    const challenge = createHash("sha512")
      .update(commitment)
      .update(key.publicKey.bytes)
      .update(message)
      .digest();
    return Buffer.concat([commitment, responseTo(challenge, nonce, expandSeed(key.seed()).scalar)]);
  };
  const good = sign(encoded);
  expect(streamed([key.publicKey], message, good)).toBe(key.publicKey);
  expect(verify(good, message, key.publicKey.bytes)).toBe(true);
  const twisted = sign(Point.fromBytes(encoded).add(order2).toBytes());
  expect(nobleVerify(twisted, message, key.publicKey.bytes, { zip215: false })).toBe(true);
  expect(streamed([key.publicKey], message, twisted)).toBeNull();
  expect(verify(twisted, message, key.publicKey.bytes)).toBe(false);
});
