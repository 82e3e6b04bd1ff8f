import { createPublicKey, verify as nativeVerify } from "node:crypto";
import { getPublicKey, hashes, Point, sign as nobleSign, utils } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";

/**
 * The one door to the curve: nothing else imports @noble/ed25519, and nobody its `verify`, which takes ZIP-215 rules
 * unless told otherwise: those accept forgeries under small-order keys.
 */

export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** An X.509 SubjectPublicKeyInfo of an Ed25519 key is these bytes and then the key (RFC 8410 §4). */
export const SPKI_PREFIX: Uint8Array = new Uint8Array([
  0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0,
]);

const ORDER = Point.CURVE().n;
const SCALAR_BITS = ORDER.toString(2).length;
hashes.sha512 = sha512;

/** Why a public key must not be trusted; `small_order` is the one that no private seed can look like. */
export type Weakness = "not_on_curve" | "not_canonical" | "small_order" | "torsion";

/** The weakness of 32 bytes as a public key, or null for a key of the prime-order group. */
export function weaknessOf(key: Uint8Array): Weakness | null {
  const point = decodePoint(key, false);
  if (point === null) return decodePoint(key, true) === null ? "not_on_curve" : "not_canonical";
  // Under the neutral element as the key, one fixed signature is valid for every message.
  if (point.isSmallOrder()) return "small_order";
  // With a torsion component, verifiers that clear the cofactor and those that do not disagree.
  return point.isTorsionFree() ? null : "torsion";
}

/** Signature of a message held in memory. True only when two implementations agree and the key is not weak. */
export function verify(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  // Lengths first: noble throws on them, node:crypto answers false.
  if (signature.length !== SIGNATURE_BYTES || key.length !== KEY_BYTES) return false;
  // The quick opinion first: a file of foreign signatures must not cost a curve computation in software for each.
  if (!verifyNatively(signature, message, key) || weaknessOf(key) !== null) return false;
  const commitment = signature.subarray(0, KEY_BYTES);
  const challenge = sha512.create().update(commitment).update(key).update(message).digest();
  const expected = expectedCommitment(signature.subarray(KEY_BYTES), challenge, key);
  // Encodings are compared, so an R in another spelling than its canonical one is refused.
  return expected !== null && Buffer.compare(expected, commitment) === 0;
}

/** The opinion of the runtime's own implementation alone: only to check what we have just signed. */
export function verifyNatively(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  const der = Buffer.concat([SPKI_PREFIX, key]);
  return nativeVerify(null, message, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
}

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return getPublicKey(seed);
}

export function sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return nobleSign(message, seed);
}

/** The two halves of SHA-512(seed), RFC 8032 §5.1.5: for a signature whose message does not fit in memory. */
export type ExpandedSeed = { readonly scalar: bigint; readonly prefix: Uint8Array };

export function expandSeed(seed: Uint8Array): ExpandedSeed {
  const { scalar, prefix } = utils.getExtendedPublicKey(seed);
  return { scalar, prefix };
}

/** r and R of RFC 8032 §5.1.6, from SHA-512(prefix || M). */
export function commitmentOf(digest: Uint8Array): { readonly nonce: bigint; readonly encoded: Uint8Array } {
  const nonce = littleEndian(digest) % ORDER;
  return { nonce, encoded: Point.BASE.multiply(nonce).toBytes() };
}

/** S of RFC 8032 §5.1.6 as 32 bytes, from SHA-512(R || A || M). */
export function responseTo(challenge: Uint8Array, nonce: bigint, scalar: bigint): Uint8Array {
  const response = (nonce + (littleEndian(challenge) % ORDER) * scalar) % ORDER;
  return Uint8Array.from(Buffer.from(response.toString(16).padStart(64, "0"), "hex").toReversed());
}

/**
 * The R that a valid signature with this S must carry, encoded: [S]B - [k]A, without clearing the cofactor, as Go
 * and BoringSSL do. Null when S is not below the group order (RFC 8032 §5.1.7: else signatures are malleable).
 */
export function expectedCommitment(
  response: Uint8Array,
  challenge: Uint8Array,
  key: Uint8Array,
): Uint8Array | null {
  const s = littleEndian(response);
  if (s >= ORDER) return null;
  const k = littleEndian(challenge) % ORDER;
  return sumOfMultiples(s, k, Point.fromBytes(key, false).negate()).toBytes();
}

/**
 * [s]B + [k]P bit by bit, both at once (Straus). The library's own multiple of B makes a table of 4,224 points first,
 * which takes a short run longer than all the rest. Not in constant time: for public values alone.
 */
function sumOfMultiples(s: bigint, k: bigint, point: Point): Point {
  const both = Point.BASE.add(point);
  const [inS, inK] = [bitsOf(s), bitsOf(k)];
  let sum = Point.ZERO;
  for (let bit = 0; bit < SCALAR_BITS; bit++) {
    sum = sum.double();
    if (inS[bit] === "1") sum = sum.add(inK[bit] === "1" ? both : Point.BASE);
    else if (inK[bit] === "1") sum = sum.add(point);
  }
  return sum;
}

function bitsOf(scalar: bigint): string {
  return scalar.toString(2).padStart(SCALAR_BITS, "0");
}

function decodePoint(bytes: Uint8Array, lenient: boolean): Point | null {
  try {
    return Point.fromBytes(bytes, lenient);
  } catch {
    return null;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}
