import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { cleanPath, decodeName, trimSpace } from "./ignore-text.ts";

/** One pattern of an ignore file, normalised as Docker reads it (`!` first for an exception), and its line from 1. */
export type IgnoreLine = { pattern: string; line: number };

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * The patterns of a `.dockerignore`. Bytes that are not UTF-8 stay apart (see `decodeName`).
 * Throws `ignore_file_invalid` for a file over `LIMITS.ignoreFileBytes` and for a line that Docker cannot read.
 */
export function parseIgnoreFile(bytes: Uint8Array): IgnoreLine[] {
  if (bytes.length > LIMITS.ignoreFileBytes) {
    throw new Failure(
      "ignore_file_invalid",
      `the ignore file has ${bytes.length} bytes, at most ${LIMITS.ignoreFileBytes} are read`,
      { hint: "exclude folders by a wildcard instead of listing files" },
    );
  }
  const lines: IgnoreLine[] = [];
  let number = 0;
  for (let start = 0; start < bytes.length;) {
    number++;
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const pattern = readLine(bytes.subarray(start, end), number);
    if (pattern !== null) lines.push({ pattern, line: number });
    start = end + 1;
  }
  return lines;
}

function readLine(raw: Uint8Array, number: number): string | null {
  // Docker's line buffer has this size and must hold the line break too, in a comment as well.
  if (raw.length >= LIMITS.ignoreLineBytes) {
    throw new Failure(
      "ignore_file_invalid",
      `line ${number} of the ignore file has ${raw.length} bytes, a line must be shorter than ${LIMITS.ignoreLineBytes}`,
      { hint: "docker build fails on such a line too; split it" },
    );
  }
  const unmarked = number === 1 && BYTE_ORDER_MARK.equals(raw.subarray(0, 3)) ? raw.subarray(3) : raw;
  const line = decodeName(unmarked);
  // Only in the first column: ` #x` is a pattern.
  if (line.startsWith("#")) return null;
  const trimmed = trimSpace(line);
  if (trimmed === "") return null;
  return trimmed.startsWith("!") ? `!${normalise(trimSpace(trimmed.slice(1)))}` : normalise(trimmed);
}

function normalise(pattern: string): string {
  if (pattern === "") return "";
  const clean = cleanPath(pattern);
  return clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
}
