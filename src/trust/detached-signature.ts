import { hasUntrustedComment } from "./minisign-key.ts";
import {
  countLines,
  parseMinisignSignature,
  parseSignifySignature,
  type MinisignSignature,
  type SignifySignature,
} from "./minisign-signature.ts";
import { parseRawSignature } from "./signature-text.ts";
import { looksLikeSshSignature, parseSshSignature, type SshSignature } from "./sshsig.ts";

export const SIGNATURE_FORMATS = ["raw", "minisign", "ssh", "signify"] as const;
export type SignatureFormat = (typeof SIGNATURE_FORMATS)[number];

type RawSignature = { readonly format: "raw"; readonly signature: Uint8Array };

/** A signature that lies beside what it signs, read and not yet believed. */
export type DetachedSignature = RawSignature | MinisignSignature | SignifySignature | SshSignature;

export function isSignatureFormat(text: string): text is SignatureFormat {
  return SIGNATURE_FORMATS.some((format) => format === text);
}

/** Which format the bytes claim to be in. What claims nothing is raw, whose parser then names what it looks like. */
export function formatOf(file: Uint8Array): SignatureFormat {
  const text = Buffer.from(file).toString("latin1");
  if (looksLikeSshSignature(text)) return "ssh";
  if (!hasUntrustedComment(text)) return "raw";
  // Two lines are signify's whole file; a minisign file that lost its signed half must not pass for one silently.
  return countLines(file) > 2 ? "minisign" : "signify";
}

/** Throws Failure `signature_malformed` or `signature_unsupported`. */
export function parseDetachedSignature(
  file: Uint8Array,
  format: SignatureFormat,
  from: string,
): DetachedSignature {
  if (format === "minisign") return parseMinisignSignature(file, from);
  if (format === "signify") return parseSignifySignature(file, from);
  if (format === "ssh") return parseSshSignature(file, from);
  return { format, signature: parseRawSignature(file, from) };
}
