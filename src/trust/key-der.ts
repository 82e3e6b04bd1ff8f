import { joined } from "../base/bytes.ts";
import { Failure } from "../base/failure.ts";
import { der, DerReader, derInteger, derOid, NotDer, TAG } from "./der.ts";
import { KEY_BYTES, SPKI_PREFIX } from "./ed25519.ts";

/** The DER forms of an Ed25519 key (RFC 8410): SubjectPublicKeyInfo and PKCS#8. */

const ED25519 = "2b6570";
const ALGORITHMS: Readonly<Record<string, string>> = {
  "2b6571": "Ed448",
  "2b656e": "X25519",
  "2b656f": "X448",
  "2a864886f70d010101": "RSA",
  "2a864886f70d01010a": "RSA-PSS",
  "2a8648ce3d0201": "ECDSA",
  "2a8648ce380401": "DSA",
  "608648016503040311": "ML-DSA-44",
  "608648016503040312": "ML-DSA-65",
  "608648016503040313": "ML-DSA-87",
};
/** `[1] publicKey` of RFC 5958 §2: a primitive bit string, its first byte the count of unused bits. */
const PKCS8_PUBLIC_TAG = 0x81;
const PKCS8_ATTRIBUTES_TAG = 0xa0;

export function encodeSpki(key: Uint8Array): Uint8Array {
  return joined(SPKI_PREFIX, key);
}

/** The 32 bytes of the key. Throws Failure `key_invalid`, which names another algorithm. */
export function decodeSpki(bytes: Uint8Array, from: string): Uint8Array {
  return reading(from, "public key (SubjectPublicKeyInfo)", () => {
    const outer = new DerReader(bytes);
    const info = outer.sequence();
    outer.end();
    readAlgorithm(info, from);
    // Both lengths are part of it.
    if (!startsWith(bytes, SPKI_PREFIX))
      throw new NotDer("another layout than RFC 8410 gives an Ed25519 key");
    return bytes.slice(SPKI_PREFIX.length);
  });
}

/** Version 1, without the public half: OpenSSL 3.0 and others refuse version 2. */
export function encodePkcs8(seed: Uint8Array): Uint8Array {
  return der(
    TAG.sequence,
    derInteger(0),
    der(TAG.sequence, derOid(ED25519)),
    der(TAG.octets, der(TAG.octets, seed)),
  );
}

/** The seed, and the public half when the file carries one. Throws Failure `key_invalid`. */
export function decodePkcs8(
  bytes: Uint8Array,
  from: string,
): { readonly seed: Uint8Array; readonly claimed: Uint8Array | null } {
  return reading(from, "private key (PKCS#8)", () => {
    const outer = new DerReader(bytes);
    const info = outer.sequence();
    outer.end();
    if (info.integer() > 1) throw new NotDer("an unknown version");
    readAlgorithm(info, from);
    const inner = new DerReader(info.take(TAG.octets));
    const seed = inner.take(TAG.octets);
    inner.end();
    info.takeIf(PKCS8_ATTRIBUTES_TAG);
    const claimed = info.takeIf(PKCS8_PUBLIC_TAG);
    info.end();
    if (seed.length !== KEY_BYTES) throw new NotDer(`a seed of ${seed.length} bytes`);
    if (claimed !== null && (claimed.length !== KEY_BYTES + 1 || claimed[0] !== 0))
      throw new NotDer("a public half of another length");
    return { seed: seed.slice(), claimed: claimed === null ? null : claimed.slice(1) };
  });
}

/** AlgorithmIdentifier; for Ed25519 its parameters are absent (RFC 8410 §3). */
function readAlgorithm(info: DerReader, from: string): void {
  const identifier = info.sequence();
  const oid = identifier.oid();
  if (oid !== ED25519) {
    const name = ALGORITHMS[oid] ?? `an unknown algorithm (object identifier ${oid.slice(0, 40)} in hex)`;
    throw new Failure("key_invalid", `${from} is a key for ${name}; wanted Ed25519`);
  }
  identifier.end();
}

/** What is wrong with the bytes is told in words of the format; the bytes are never shown. */
export function reading<T>(from: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NotDer)) throw error;
    throw new Failure("key_invalid", `${from} is not a well-formed ${what}: ${error.message}`);
  }
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}
