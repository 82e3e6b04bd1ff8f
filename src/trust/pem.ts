import { fromBase64, toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/** One PEM block, its body still as text. */
export type PemBlock = { readonly label: string; readonly body: string };

const MARK = "-----BEGIN ";
const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([^-]*)-----END \1-----/gu;

export function looksLikePem(text: string): boolean {
  return text.includes(MARK);
}

/**
 * A PEM text as CI systems hand it over in one variable: with `\n` spelled out, or in base64 as a whole. Any other
 * text comes back as it is.
 */
export function unwrapPem(text: string): string {
  if (looksLikePem(text))
    return text.includes("\n") ? text : text.replaceAll("\\r", "").replaceAll("\\n", "\n");
  const decoded = fromBase64(text.replaceAll(/\s/gu, ""));
  const inner = decoded === null ? "" : new TextDecoder().decode(decoded);
  return inner.startsWith(MARK) ? inner : text;
}

/** Every whole block. Text outside of the blocks is explanation (RFC 7468 §5.2). */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([, label = "", body = ""]) => ({ label, body }));
}

/** The one block of a key file. Never shows any of it but its label: it may be a private key. */
export function onlyPemBlock(text: string, from: string): PemBlock {
  const [block, ...others] = pemBlocks(text);
  if (block === undefined) throw new Failure("key_invalid", `${from} begins a PEM block and does not end it`);
  if (others.length > 0)
    throw new Failure("key_invalid", `${from} holds ${others.length + 1} PEM blocks; wanted one key`);
  return block;
}

export function pemBytes(block: PemBlock, from: string): Uint8Array {
  const bytes = fromBase64(block.body.replaceAll(/\s/gu, ""));
  if (bytes === null || bytes.length === 0) {
    throw new Failure(
      "key_invalid",
      `${from} is a PEM block ${quoted(block.label)} whose body is not base64`,
    );
  }
  return bytes;
}

/** A PEM block with its last line break, in lines of 64 characters as RFC 7468 has it, or of 70 as OpenSSH does. */
export function pem(label: string, bytes: Uint8Array, columns: 64 | 70 = 64): string {
  const lines = toBase64(bytes).match(new RegExp(`.{1,${columns}}`, "gu")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
