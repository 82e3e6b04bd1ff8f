import { createCipheriv, createDecipheriv, pbkdf2Sync } from "node:crypto";
import { joined } from "../base/bytes.ts";
import { Failure } from "../base/failure.ts";
import { der, DerReader, derInteger, derOid, NotDer, TAG } from "./der.ts";
import { reading } from "./key-der.ts";
import { wrongPassphrase } from "./key-passphrase.ts";

/**
 * Encrypted private keys: PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC (RFC 8018), which OpenSSL reads. Written by
 * hand because the runtime's own export takes only 2,048 rounds.
 */
const PBES2 = "2a864886f70d01050d";
const PBKDF2 = "2a864886f70d01050c";
const HMAC_SHA256 = "2a864886f70d0209";
const AES_256_CBC = "60864801650304012a";

/** PBKDF2 rounds of the keys that we write. */
const ROUNDS = 600_000;
/** More would let a key file hold the machine. */
const MAX_ROUNDS = 5_000_000;
const KEY_BYTES = 32;
export const SALT_BYTES = 16;
export const IV_BYTES = 16;

/** `EncryptedPrivateKeyInfo` of these PKCS#8 bytes. `salt` and `iv` are fresh random bytes. */
export function encryptPkcs8(
  bytes: Uint8Array,
  passphrase: Uint8Array,
  salt: Uint8Array,
  iv: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv("aes-256-cbc", pbkdf2Sync(passphrase, salt, ROUNDS, KEY_BYTES, "sha256"), iv);
  const encrypted = joined(cipher.update(bytes), cipher.final());
  const prf = der(TAG.sequence, derOid(HMAC_SHA256), der(TAG.null));
  const derivation = der(
    TAG.sequence,
    derOid(PBKDF2),
    der(TAG.sequence, der(TAG.octets, salt), derInteger(ROUNDS), prf),
  );
  const encryption = der(TAG.sequence, derOid(AES_256_CBC), der(TAG.octets, iv));
  const scheme = der(TAG.sequence, derOid(PBES2), der(TAG.sequence, derivation, encryption));
  return der(TAG.sequence, scheme, der(TAG.octets, encrypted));
}

/** The PKCS#8 bytes. Throws Failure `key_invalid`: another scheme, a wrong passphrase. */
export function decryptPkcs8(bytes: Uint8Array, passphrase: Uint8Array, from: string): Uint8Array {
  const { salt, rounds, iv, encrypted } = reading(from, "encrypted private key (PKCS#8)", () =>
    readScheme(bytes, from),
  );
  const key = pbkdf2Sync(passphrase, salt, rounds, KEY_BYTES, "sha256");
  try {
    const decipher = createDecipheriv("aes-256-cbc", key, iv);
    const plain = joined(decipher.update(encrypted), decipher.final());
    // One wrong passphrase in 256 has right padding; then what comes out is no PKCS#8.
    new DerReader(plain).sequence().integer();
    return plain;
  } catch {
    throw wrongPassphrase(from);
  }
}

function readScheme(
  bytes: Uint8Array,
  from: string,
): { salt: Uint8Array; rounds: number; iv: Uint8Array; encrypted: Uint8Array } {
  const outer = new DerReader(bytes);
  const info = outer.sequence();
  outer.end();
  const scheme = info.sequence();
  const encrypted = info.take(TAG.octets);
  info.end();
  expect(scheme.oid(), PBES2, "PBES2", from);
  const parameters = scheme.sequence();
  const derivation = parameters.sequence();
  expect(derivation.oid(), PBKDF2, "the key derivation PBKDF2", from);
  const pbkdf2 = derivation.sequence();
  const salt = pbkdf2.take(TAG.octets);
  const rounds = pbkdf2.integer();
  if (rounds < 1 || rounds > MAX_ROUNDS) throw new NotDer(`${rounds} rounds; at most ${MAX_ROUNDS}`);
  // keyLength is optional and says nothing that the cipher does not.
  pbkdf2.takeIf(TAG.integer);
  const prf = pbkdf2.takeIf(TAG.sequence);
  expect(prf === null ? "" : new DerReader(prf).oid(), HMAC_SHA256, "the function HMAC-SHA256", from);
  pbkdf2.end();
  const encryption = parameters.sequence();
  expect(encryption.oid(), AES_256_CBC, "the cipher AES-256-CBC", from);
  const iv = encryption.take(TAG.octets);
  if (iv.length !== IV_BYTES) throw new NotDer(`an initial vector of ${iv.length} bytes`);
  return { salt, rounds, iv, encrypted };
}

function expect(found: string, wanted: string, name: string, from: string): void {
  if (found === wanted) return;
  throw new Failure("key_invalid", `${from} is encrypted in another way; wanted ${name}`, {
    hint: "convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -in OLD -out NEW",
  });
}
