import { fromHexOrBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import type { ClaimedSeed } from "./claimed-seed.ts";
import { KEY_BYTES, publicKeyOf } from "./ed25519.ts";
import { isPrivateJwk, looksLikeJwk, parsePrivateJwk } from "./jwk.ts";
import { decodePkcs8 } from "./key-der.ts";
import { wantedPassphrase } from "./key-passphrase.ts";
import { hasUntrustedComment } from "./minisign-key.ts";
import {
  decodeMinisignSecretKey,
  isEncryptedMinisignText,
  isMinisignSecretText,
} from "./minisign-secret-key.ts";
import { decodeOpensshPrivateKey, OPENSSH_LABEL } from "./openssh-private-key.ts";
import { decryptPkcs8 } from "./pbes2.ts";
import { looksLikePem, onlyPemBlock, pemBytes, unwrapPem, type PemBlock } from "./pem.ts";
import { publicKeyFromBytes, type PublicKey } from "./public-key.ts";
import { looksLikeSshKey } from "./ssh-key.ts";

/** An Ed25519 private key. The seed is a private field, so that no log, JSON or inspection shows it. */
export class SigningKey {
  readonly publicKey: PublicKey;
  readonly #seed: Uint8Array;

  /** `seed` is 32 bytes, else Failure `key_invalid`; a placeholder of zeros is `key_weak`. */
  constructor(seed: Uint8Array, from: string, keyNumber: Uint8Array | null = null) {
    if (seed.length !== KEY_BYTES)
      throw new Failure("key_invalid", `${from} has a seed of ${seed.length} bytes; wanted ${KEY_BYTES}`);
    if (seed.every((byte) => byte === 0))
      throw new Failure("key_weak", `${from} is a placeholder of zeros, which everybody knows`);
    this.#seed = seed.slice();
    this.publicKey = publicKeyFromBytes(publicKeyOf(seed), from, keyNumber);
  }

  /** The 32 secret bytes, for the signer and for a key file. */
  seed(): Uint8Array {
    return this.#seed.slice();
  }
}

/**
 * A private key from its text: PKCS#8 PEM, plain or encrypted, an OpenSSH file, a minisign file, plain or encrypted,
 * a JWK, or the seed (32 bytes, or 64 with the public half after it) in hex or base64. Throws Failure `key_invalid` or
 * `key_weak`; nothing of the text is ever shown.
 */
export function parseSigningKey(text: string, from: string, passphrase?: Uint8Array): SigningKey {
  if (text.length > LIMITS.keyFileBytes)
    throw new Failure(
      "key_invalid",
      `${from} has more than ${LIMITS.keyFileBytes} characters; wanted a private key`,
    );
  const found = unwrapPem(text).trim();
  if (found === "") throw new Failure("key_invalid", `${from} is empty; wanted an Ed25519 private key`);
  if (looksLikePem(found)) return fromPem(onlyPemBlock(found, from), from, passphrase);
  if (looksLikeSshKey(found)) throw publicKeyGiven(from, "an OpenSSH public key");
  if (looksLikeJwk(found)) return matched(parsePrivateJwk(found, from), from);
  if (isMinisignSecretText(found)) return matched(decodeMinisignSecretKey(found, passphrase, from), from);
  if (hasUntrustedComment(found))
    throw new Failure(
      "key_invalid",
      `${from} is a file of minisign or signify, but no secret key of minisign; wanted a private key`,
    );
  const bytes = fromHexOrBase64(found.replaceAll(/[\r\n]/gu, ""));
  if (bytes === null)
    throw new Failure(
      "key_invalid",
      `${from} is neither PEM, a minisign secret key, a JWK nor a seed in hex or base64`,
      {
        hint: "make a key with: waybill key new --out FILE",
      },
    );
  if (bytes.length === KEY_BYTES) return new SigningKey(bytes, from);
  if (bytes.length === 2 * KEY_BYTES)
    return matched(
      { seed: bytes.subarray(0, KEY_BYTES), claimed: [bytes.subarray(KEY_BYTES)], keyNumber: null },
      from,
    );
  throw new Failure(
    "key_invalid",
    `${from} has ${bytes.length} bytes; a seed has ${KEY_BYTES}, or ${2 * KEY_BYTES} with its public half`,
  );
}

/** True when the text can only be a private key: a label or a member says so, or its length does. */
export function isPrivateKeyText(text: string): boolean {
  const found = unwrapPem(text).trim();
  if (looksLikePem(found)) return /BEGIN [A-Z ]*PRIVATE KEY/u.test(found);
  if (isPrivateJwk(found) || isMinisignSecretText(found)) return true;
  return fromHexOrBase64(found.replaceAll(/[\r\n]/gu, ""))?.length === 2 * KEY_BYTES;
}

/** True for a private key that needs a passphrase and says so. */
export function isEncryptedKeyText(text: string): boolean {
  const found = unwrapPem(text).trim();
  return found.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----") || isEncryptedMinisignText(found);
}

/** True for 32 bytes in hex or base64, which may be a public key as well as a private seed. */
export function isBareKeyText(text: string): boolean {
  return fromHexOrBase64(text.trim().replaceAll(/[\r\n]/gu, ""))?.length === KEY_BYTES;
}

function fromPem(block: PemBlock, from: string, passphrase: Uint8Array | undefined): SigningKey {
  if (block.label === "PRIVATE KEY") return fromPkcs8(pemBytes(block, from), from);
  if (block.label === "ENCRYPTED PRIVATE KEY") {
    const given = wantedPassphrase(passphrase, from);
    return fromPkcs8(decryptPkcs8(pemBytes(block, from), given, from), from);
  }
  if (block.label === OPENSSH_LABEL)
    return matched(decodeOpensshPrivateKey(pemBytes(block, from), from), from);
  if (block.label === "PUBLIC KEY") throw publicKeyGiven(from, "a public key");
  throw new Failure(
    "key_invalid",
    `${from} is a PEM block ${quoted(block.label)}; wanted "PRIVATE KEY" or "${OPENSSH_LABEL}"`,
    {
      hint: "make a key with: waybill key new --out FILE",
    },
  );
}

function fromPkcs8(bytes: Uint8Array, from: string): SigningKey {
  const { seed, claimed } = decodePkcs8(bytes, from);
  return matched({ seed, claimed: claimed === null ? [] : [claimed], keyNumber: null }, from);
}

/** Signing with a foreign public half gives away the seed, so it is derived again and compared. */
function matched(found: ClaimedSeed, from: string): SigningKey {
  const key = new SigningKey(found.seed, from, found.keyNumber);
  if (found.claimed.every((half) => Buffer.compare(key.publicKey.bytes, half) === 0)) return key;
  throw new Failure("key_invalid", `${from} carries a public half that does not belong to its seed`);
}

function publicKeyGiven(from: string, what: string): Failure {
  return new Failure("key_invalid", `${from} is ${what}; signing needs the private key`);
}
