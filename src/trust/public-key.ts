import { fromHexOrBase64, toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { sha256Of } from "../base/hashing.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { KEY_BYTES, SIGNATURE_BYTES, weaknessOf, type Weakness } from "./ed25519.ts";
import { isPrivateJwk, looksLikeJwk, parsePublicJwk } from "./jwk.ts";
import { decodeSpki, encodeSpki } from "./key-der.ts";
import { hasUntrustedComment, minisignPayload, parseMinisignKey } from "./minisign-key.ts";
import { looksLikePem, onlyPemBlock, pemBytes, unwrapPem } from "./pem.ts";
import { looksLikeSshKey, parseSshKey } from "./ssh-key.ts";

/** An Ed25519 key of the prime-order group. Made only here, after the strict checks: verifiers rely on them. */
export type PublicKey = {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** base64 of SHA-256 of the SubjectPublicKeyInfo: DSSE `keyid` and the hint of a bundle. */
  readonly keyid: string;
  /** The 8 bytes by which minisign and signify match a signature to its key; null unless the key's text had them. */
  readonly keyNumber: Uint8Array | null;
} & { readonly __checked: unique symbol };

const WEAKNESS: Readonly<Record<Weakness, string>> = {
  not_on_curve: "is no point of the curve",
  not_canonical: "is not in canonical form",
  small_order: "is of small order: anybody can sign for it",
  torsion: "has a torsion component: verifiers would disagree about its signatures",
};

/**
 * A public key from any of its usual texts: SPKI PEM (or its base64 alone), hex, base64 in four spellings, minisign
 * and signify `.pub`, an OpenSSH line, a JWK. Throws Failure `key_invalid` or `key_weak`, beginning with `from`. Only
 * what is a public key beyond doubt is ever shown: a private key that was passed by mistake must not reach a log.
 */
export function parsePublicKey(text: string, from: string): PublicKey {
  if (text.length > LIMITS.keyFileBytes)
    throw new Failure(
      "key_invalid",
      `${from} has more than ${LIMITS.keyFileBytes} characters; wanted a public key`,
    );
  const found = unwrapPem(text).trim();
  if (found === "") throw new Failure("key_invalid", `${from} is empty; wanted an Ed25519 public key`);
  if (looksLikePem(found)) return fromPem(found, from);
  if (looksLikeSshKey(found)) return publicKeyFromBytes(parseSshKey(found, from), from);
  if (isPrivateJwk(found)) throw privateKey(from, "is a private key as JWK");
  if (looksLikeJwk(found)) return publicKeyFromBytes(parsePublicJwk(found, from), from);
  const minisign = parseMinisignKey(found);
  if (minisign !== null) return publicKeyFromBytes(minisign.bytes, from, minisign.keyNumber);
  if (hasUntrustedComment(found)) throw notMinisign(found, from);
  return fromEncoded(found, from);
}

/** A public key from its 32 bytes, after the strict checks. Throws Failure `key_invalid` or `key_weak`. */
export function publicKeyFromBytes(
  bytes: Uint8Array,
  from: string,
  keyNumber: Uint8Array | null = null,
): PublicKey {
  if (bytes.length !== KEY_BYTES)
    throw new Failure(
      "key_invalid",
      `${from} has ${bytes.length} bytes; an Ed25519 public key has ${KEY_BYTES}`,
    );
  const weakness = weaknessOf(bytes);
  if (weakness !== null) {
    // 15 of 16 private seeds look like weak public keys, so those are not shown; of small order there are but 8.
    const shown = weakness === "small_order" ? ` (${toHex(bytes)})` : "";
    throw new Failure("key_weak", `${from} ${WEAKNESS[weakness]}${shown}; wanted an Ed25519 public key`, {
      hint:
        weakness === "small_order"
          ? "a placeholder of zeros is such a key; put the release key in its place"
          : "check that it is the public key, whole, and not a private seed",
    });
  }
  const copy = bytes.slice();
  const keyid = Buffer.from(sha256Of(encodeSpki(copy)), "hex").toString("base64");
  // The one place where checked bytes become a PublicKey.
  return { bytes: copy, keyid, keyNumber } as PublicKey; // oxlint-disable-line typescript/no-unsafe-type-assertion
}

/** The key number of a key for minisign: its own, or the first bytes of the keyid's digest. */
export function keyNumberOf(key: PublicKey): Uint8Array {
  return key.keyNumber ?? new Uint8Array(Buffer.from(key.keyid, "base64").subarray(0, 8));
}

function fromPem(text: string, from: string): PublicKey {
  if (/BEGIN [A-Z0-9 ]*PRIVATE/u.test(text)) throw privateKey(from, "is a private key in PEM");
  const block = onlyPemBlock(text, from);
  if (block.label !== "PUBLIC KEY") {
    const algorithm = /^(\w+) PUBLIC KEY$/u.exec(block.label)?.[1];
    const what = algorithm === undefined ? `a PEM block ${quoted(block.label)}` : `a key for ${algorithm}`;
    throw new Failure("key_invalid", `${from} is ${what}; wanted an Ed25519 "PUBLIC KEY"`);
  }
  return publicKeyFromBytes(decodeSpki(pemBytes(block, from), from), from);
}

function fromEncoded(text: string, from: string): PublicKey {
  const bytes = fromHexOrBase64(text.replaceAll(/[\r\n]/gu, ""));
  if (bytes === null)
    throw new Failure(
      "key_invalid",
      `${from} is neither PEM, hex, base64, a JWK, a minisign key nor an OpenSSH key`,
      {
        hint: "an Ed25519 public key is 64 characters of hex or 44 of base64",
      },
    );
  if (bytes.length === SIGNATURE_BYTES)
    throw privateKey(from, `has ${SIGNATURE_BYTES} bytes and looks like a private key`);
  const isSequence = bytes[0] === 0x30 && bytes.length > KEY_BYTES;
  // PKCS#8 begins with its version, a SubjectPublicKeyInfo with its algorithm.
  if (isSequence && bytes[2] === 0x02) throw privateKey(from, "looks like a private key in DER");
  if (isSequence) return publicKeyFromBytes(decodeSpki(bytes, from), from);
  return publicKeyFromBytes(bytes, from);
}

function notMinisign(text: string, from: string): Failure {
  const bytes = minisignPayload(text)?.length;
  if (bytes === 158 || bytes === 104) return privateKey(from, "is a private key of minisign or signify");
  const found = bytes === 74 ? "a signature of minisign or signify" : "not a whole minisign or signify key";
  return new Failure("key_invalid", `${from} is ${found}; wanted the two lines of a .pub file`);
}

function privateKey(from: string, found: string): Failure {
  return new Failure("key_invalid", `${from} ${found}; wanted the public key`, {
    hint: "print its public half with: waybill key show FILE; treat a private key that was in argv as leaked",
  });
}
