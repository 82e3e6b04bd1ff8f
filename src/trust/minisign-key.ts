import { fromBase64, toBase64 } from "../base/encoding.ts";
import { KEY_BYTES } from "./ed25519.ts";

/** minisign and signify public keys: base64 of `Ed`, a key number of 8 bytes, and the key. */

export const KEY_NUMBER_BYTES = 8;
const ALGORITHM = [0x45, 0x64] as const;
const COMMENT = "untrusted comment:";

export type MinisignKey = { readonly keyNumber: Uint8Array; readonly bytes: Uint8Array };

/** True for any file of these tools: keys of both kinds and signatures begin with the same comment. */
export function hasUntrustedComment(text: string): boolean {
  return text.startsWith(COMMENT);
}

/** The base64 line of a file of these tools, decoded, with or without the comment before it; null for other text. */
export function minisignPayload(text: string): Uint8Array | null {
  const lines = text.split(/\r?\n/u);
  const line = hasUntrustedComment(text) ? lines[1] : lines[0];
  return line === undefined ? null : fromBase64(line.trim());
}

/** The public key in a whole `.pub` text or its base64 line alone; null when it is something else. */
export function parseMinisignKey(text: string): MinisignKey | null {
  const lines = text.trimEnd().split(/\r?\n/u).length;
  const payload = minisignPayload(text);
  if (payload === null || lines !== (hasUntrustedComment(text) ? 2 : 1)) return null;
  if (payload.length !== ALGORITHM.length + KEY_NUMBER_BYTES + KEY_BYTES) return null;
  if (payload[0] !== ALGORITHM[0] || payload[1] !== ALGORITHM[1]) return null;
  return { keyNumber: payload.slice(2, 10), bytes: payload.slice(10) };
}

export function formatMinisignKey(key: MinisignKey): string {
  return toBase64(Buffer.concat([Uint8Array.from(ALGORITHM), key.keyNumber, key.bytes]));
}
