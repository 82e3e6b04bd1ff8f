import { joined } from "../base/bytes.ts";
import { fromPaddedBase64, textOf, toBase64 } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { SIGNATURE_BYTES } from "./ed25519.ts";

/**
 * Signature files of minisign (four lines) and signify (the first two): a comment that nobody signed, base64 of
 * algorithm 2, key number 8 and signature 64, a comment that is signed, and the signature over both.
 */

/** `ED` signs BLAKE2b-512 of the file, `Ed` the file itself. */
type MinisignAlgorithm = "ED" | "Ed";

export type MinisignSignature = {
  readonly format: "minisign";
  readonly algorithm: MinisignAlgorithm;
  readonly keyNumber: Uint8Array;
  readonly signature: Uint8Array;
  /** The bytes that the global signature covers besides the signature: without the prefix, without the line break. */
  readonly trustedComment: Uint8Array;
  readonly globalSignature: Uint8Array;
};

export type SignifySignature = {
  readonly format: "signify";
  readonly keyNumber: Uint8Array;
  readonly signature: Uint8Array;
};

const UNTRUSTED = "untrusted comment: ";
const TRUSTED = "trusted comment: ";
const BLOB_BYTES = 10 + SIGNATURE_BYTES;
/** characters that the tools read of the comment that nobody signed */
const MAX_UNTRUSTED = { minisign: 1_003, signify: 1_023 } as const;
const LINE_FEED = 0x0a;
const MAX_TRUSTED_BYTES = 8_192;

/** Throws Failure `signature_malformed`. CRLF is taken at the ends of lines, as minisign does. */
export function parseMinisignSignature(file: Uint8Array, from: string): MinisignSignature {
  const [untrusted = "", blob = "", trusted = "", last = "", ...more] = linesOf(file);
  if (more.length > 0 || !isUntrusted(untrusted, "minisign") || last === "")
    throw malformed(from, "it does not have four lines of which the first is an untrusted comment");
  // minisign ends a line there.
  if (file.includes(0)) throw malformed(from, "it has a NUL");
  if (!trusted.startsWith(TRUSTED)) throw malformed(from, "its third line is no trusted comment");
  const { algorithm, keyNumber, signature } = readBlob(blob, from);
  if (algorithm !== "ED" && algorithm !== "Ed") throw malformed(from, "it is for another algorithm");
  const trustedComment = new Uint8Array(Buffer.from(trusted.slice(TRUSTED.length), "latin1"));
  if (trustedComment.length > MAX_TRUSTED_BYTES) throw malformed(from, "its trusted comment is too long");
  const globalSignature = fromPaddedBase64(last);
  if (globalSignature?.length !== SIGNATURE_BYTES)
    throw malformed(from, `its last line is not ${SIGNATURE_BYTES} bytes in base64`);
  return { format: "minisign", algorithm, keyNumber, signature, trustedComment, globalSignature };
}

/** Throws Failure `signature_malformed`. */
export function parseSignifySignature(file: Uint8Array, from: string): SignifySignature {
  const [untrusted = "", blob = "", ...more] = linesOf(file);
  if (more.length > 0 || !isUntrusted(untrusted, "signify"))
    throw malformed(from, "it does not have two lines of which the first is an untrusted comment");
  if (file.indexOf(LINE_FEED) === file.lastIndexOf(LINE_FEED))
    throw malformed(from, "its second line has no end");
  const { algorithm, keyNumber, signature } = readBlob(blob, from);
  if (algorithm !== "Ed") throw malformed(from, "it is for another algorithm");
  return { format: "signify", keyNumber, signature };
}

/** How many lines a signature file has: two are signify's, four are minisign's. */
export function countLines(file: Uint8Array): number {
  return linesOf(file).length;
}

/** The four lines, each with its line break. `trustedComment` is one line of text. */
export function formatMinisignSignature(
  parts: Omit<MinisignSignature, "format">,
  untrustedComment: string,
): string {
  const blob = joined(new TextEncoder().encode(parts.algorithm), parts.keyNumber, parts.signature);
  const trusted = new TextDecoder().decode(parts.trustedComment);
  return [
    `${UNTRUSTED}${untrustedComment}`,
    toBase64(blob),
    `${TRUSTED}${trusted}`,
    toBase64(parts.globalSignature),
    "",
  ].join("\n");
}

/** What the global signature covers. */
export function globalMessage(signature: Uint8Array, trustedComment: Uint8Array): Uint8Array {
  return joined(signature, trustedComment);
}

/** The trusted comment that minisign itself would write. The name loses what would not stand on one line. */
export function trustedCommentOf(fileName: string, now: Date): Uint8Array {
  const name = printable(fileName, 255);
  return new TextEncoder().encode(`timestamp:${Math.floor(now.getTime() / 1000)}\tfile:${name}\thashed`);
}

/** A trusted comment as it may be shown: null when a terminal or a CI log could take it for more than text. */
export function shownComment(trustedComment: Uint8Array): string | null {
  const text = textOf(trustedComment);
  if (text === null) return null;
  // Tabs stand between the fields of minisign's own comments.
  const plain = text.replaceAll("\t", " ");
  return printable(plain, MAX_TRUSTED_BYTES) === plain.trim() ? plain.trim() : null;
}

function isUntrusted(line: string, tool: keyof typeof MAX_UNTRUSTED): boolean {
  return line.startsWith(UNTRUSTED) && line.length - UNTRUSTED.length <= MAX_UNTRUSTED[tool];
}

function readBlob(
  line: string,
  from: string,
): { readonly algorithm: string; readonly keyNumber: Uint8Array; readonly signature: Uint8Array } {
  const blob = fromPaddedBase64(line);
  if (blob?.length !== BLOB_BYTES)
    throw malformed(from, `its second line is not ${BLOB_BYTES} bytes in base64`);
  return {
    algorithm: Buffer.from(blob.subarray(0, 2)).toString("latin1"),
    keyNumber: blob.slice(2, 10),
    signature: blob.slice(10),
  };
}

/** A character for each byte: what the signed comment is made of comes back exactly. */
function linesOf(file: Uint8Array): readonly string[] {
  const lines = Buffer.from(file)
    .toString("latin1")
    .split("\n")
    .map((line) => line.replace(/\r$/u, ""));
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function malformed(from: string, found: string): Failure {
  return new Failure("signature_malformed", `${from} is no whole signature of minisign or signify: ${found}`);
}
