import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/printable.ts";

/** Audits find out by this stamp which run promoted; without it a pin counts as made by hand. */
const STAMP = /\[ci-pin-provenance v\d[^\]]*\]/u;
const WHOLE = Number.MAX_SAFE_INTEGER;

/**
 * Notes as the control plane takes them: one line, at most `LIMITS.notesChars` characters. What is too long loses
 * prose and never its stamp. Throws Failure `invalid_value` for a stamp that is too long by itself.
 */
export function fitNotes(text: string): string {
  const line = printable(text, WHOLE);
  if (lengthOf(line) <= LIMITS.notesChars) return line;
  const stamp = STAMP.exec(line)?.[0];
  if (stamp === undefined) return printable(text, LIMITS.notesChars - 1);
  const room = LIMITS.notesChars - lengthOf(stamp) - 2;
  if (room < 0) {
    throw new Failure(
      "invalid_value",
      `the stamp in --notes has ${lengthOf(stamp)} characters; wanted at most ${LIMITS.notesChars - 2}`,
    );
  }
  // One for the "…", one for the space before the stamp.
  return `${printable(line.replace(stamp, " "), room)} ${stamp}`;
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
