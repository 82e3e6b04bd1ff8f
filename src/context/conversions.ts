import { toHex } from "../base/encoding.ts";
import { blobWords, type ObjectFormat } from "./contents.ts";

/** A checkout may change bytes on purpose: then git calls the file clean, and yet other bytes ship. */
export type Conversion = "eol_only" | "filter_only";

export function blobId(bytes: Uint8Array, format: ObjectFormat): string {
  return toHex(new Bun.CryptoHasher(format).update(blobWords(bytes.length)).update(bytes).digest());
}

/** What Git LFS commits in place of a file with this content. */
export function lfsPointer(sha256: string, size: number): Uint8Array {
  const lines = ["version https://git-lfs.github.com/spec/v1", `oid sha256:${sha256}`, `size ${size}`, ""];
  return new TextEncoder().encode(lines.join("\n"));
}

/**
 * The conversion of a checkout that turns the blob `committed` into `content`, by undoing each that git knows
 * without a program: line ends, `$Id$`, and UTF-16 as a working-tree encoding. Null when none does.
 */
export function conversionOf(
  content: Uint8Array,
  committed: string,
  format: ObjectFormat,
): Conversion | null {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
  const isCommitted = (text: string): boolean => blobId(Buffer.from(text, "latin1"), format) === committed;
  const hasReturns = bytes.includes("\r\n");
  if (hasReturns && isCommitted(withLineFeeds(bytes))) return "eol_only";
  const others = [withoutIdent(bytes), ...utf16Readings(content)].filter((text) => text !== bytes);
  return others.some((text) => isCommitted(text) || isCommitted(withLineFeeds(text))) ? "filter_only" : null;
}

function withLineFeeds(bytes: string): string {
  return bytes.replaceAll("\r\n", "\n");
}

function withoutIdent(bytes: string): string {
  return bytes.replace(/\$Id:[^$\n]*\$/gu, "$$Id$$");
}

/** The UTF-8 that the content would be committed as, byte by byte, if it is UTF-16. */
function utf16Readings(content: Uint8Array): string[] {
  // Text in UTF-16 has zero bytes, text in any other encoding that git takes has none.
  if (content.length % 2 !== 0 || !content.includes(0)) return [];
  return (["utf-16le", "utf-16be"] as const).flatMap((encoding) => {
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(content);
      return [Buffer.from(text, "utf8").toString("latin1")];
    } catch {
      return [];
    }
  });
}
