/** Strict text encodings: one spelling each, no ignored characters (`Buffer.from(x, "base64")` skips junk). */

// Plain runs of characters, with the length checked beside them: a repeated group gives up on a few megabytes.
const HEX = /^[0-9a-f]*$/u;
const HEX_ANY_CASE = /^[0-9a-fA-F]*$/u;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/u;
const BASE64_URL = /^[A-Za-z0-9_-]*={0,2}$/u;

/** The bytes of lower-case hex, or null. */
export function fromHex(text: string): Uint8Array | null {
  return HEX.test(text) && text.length % 2 === 0 ? new Uint8Array(Buffer.from(text, "hex")) : null;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/**
 * The bytes of standard or URL-safe base64, padded or not, or null. Unused bits of the last character must be
 * zero, so that a value has one spelling within each alphabet.
 */
export function fromBase64(text: string): Uint8Array | null {
  const url = BASE64_URL.test(text);
  if (!url && !BASE64.test(text)) return null;
  // Padding fills a group of four; without it one character alone is no byte.
  if (text.endsWith("=") ? text.length % 4 !== 0 : text.length % 4 === 1) return null;
  const bytes = new Uint8Array(Buffer.from(text, url ? "base64url" : "base64"));
  const again = Buffer.from(bytes).toString(url ? "base64url" : "base64");
  return again.replace(/=+$/u, "") === text.replace(/=+$/u, "") ? bytes : null;
}

/**
 * The bytes of standard base64 with its padding, of one at least,
 * or null: the one spelling that OpenSSH and minisign take.
 */
export function fromPaddedBase64(text: string): Uint8Array | null {
  return BASE64.test(text) && text !== "" && text.length % 4 === 0 ? fromBase64(text) : null;
}

/** Hex of any case, else base64 in one of its four spellings: the decode order of add-on signatures and keys. */
export function fromHexOrBase64(text: string): Uint8Array | null {
  const trimmed = text.trim();
  if (HEX_ANY_CASE.test(trimmed) && trimmed.length % 2 === 0) return fromHex(trimmed.toLowerCase());
  return fromBase64(trimmed);
}

/** UTF-8 as text without a byte-order mark before it, or null when the bytes are not UTF-8. */
export function textOf(bytes: Uint8Array): string | null {
  return decoded(bytes, false);
}

/** UTF-8 as text, with each character that stands there, or null when the bytes are not UTF-8. */
export function exactTextOf(bytes: Uint8Array): string | null {
  return decoded(bytes, true);
}

function decoded(bytes: Uint8Array, ignoreBOM: boolean): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM }).decode(bytes);
  } catch {
    return null;
  }
}

/** Text without its percent escapes, as it stands where one is broken: `50%` is what somebody chose as a password. */
export function withoutEscapes(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
