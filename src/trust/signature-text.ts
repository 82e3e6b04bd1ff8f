import { fromHexOrBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { SIGNATURE_BYTES } from "./ed25519.ts";
import { hasUntrustedComment, minisignPayload } from "./minisign-key.ts";

const WANTED = "wanted a raw Ed25519 signature: 64 bytes, or their hex or base64";

/**
 * A raw Ed25519 signature: its 64 bytes, or hex of any case, or base64 in one of its four spellings. White space
 * around the text and line breaks within are not part of it. Throws Failure `signature_malformed`, which names what
 * the input looks like.
 */
export function parseRawSignature(input: Uint8Array | string, from = "the signature"): Uint8Array {
  if (typeof input === "string") return fromText(input, from);
  if (isText(input)) return fromText(new TextDecoder().decode(input), from);
  if (input.length === SIGNATURE_BYTES) return input.slice();
  throw malformed(`${from} has ${input.length} raw bytes`);
}

/** ASCII; 64 bytes of a signature are never all printable. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 9 && byte <= 13));
}

function fromText(text: string, from: string): Uint8Array {
  if (text.length > LIMITS.keyFileBytes)
    throw malformed(`${from} has more than ${LIMITS.keyFileBytes} characters`);
  const trimmed = text.trim();
  if (trimmed === "") throw malformed(`${from} is empty`);
  const bytes = fromHexOrBase64(trimmed.replaceAll(/[\r\n]/gu, ""));
  if (bytes?.length === SIGNATURE_BYTES) return bytes;
  throw malformed(`${from} ${lookOf(trimmed, bytes)}`);
}

function lookOf(text: string, bytes: Uint8Array | null): string {
  const armor = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/u.exec(text)?.[1];
  if (armor === "SSH SIGNATURE") return "looks like an OpenSSH signature (SSHSIG)";
  if (armor === "PGP SIGNATURE") return "looks like an OpenPGP signature";
  if (armor !== undefined) return `looks like a PEM block, ${armor.toLowerCase()}`;
  if (/^(?:ssh-|ecdsa-sha2-|sk-)\S+\s/u.test(text)) return "looks like an OpenSSH public key";
  const payload = minisignPayload(text);
  if (hasUntrustedComment(text) || isMinisign(payload)) {
    return payload?.length === 42
      ? "looks like a minisign or signify public key"
      : "looks like a minisign or signify signature";
  }
  if (text.startsWith("{")) return "looks like a JSON document";
  if (bytes === null) return "is neither hex nor base64";
  if (bytes.length === 32) return "is 32 bytes, which looks like a digest or a public key";
  return `is ${bytes.length} bytes`;
}

function isMinisign(payload: Uint8Array | null): boolean {
  if (payload === null || (payload.length !== 74 && payload.length !== 42)) return false;
  return payload[0] === 0x45 && (payload[1] === 0x64 || payload[1] === 0x44);
}

function malformed(found: string): Failure {
  return new Failure("signature_malformed", `${found}; ${WANTED}`);
}
