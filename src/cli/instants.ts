import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

/**
 * An RFC 3339 instant in UTC, with the fractions that our documents print, or a day, which is its first moment.
 * Throws Failure `invalid_value`.
 */
export function parseInstant(text: string, flag: string): Date {
  const plain = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?Z)?$/u.test(text);
  const date = new Date(/T\d\d:\d\dZ$/u.test(text) ? text.replace("Z", ":00Z") : text);
  // 2026-02-30 is no day, though some parsers make one of it.
  if (plain && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 10))) return date;
  throw new Failure(
    "invalid_value",
    `${flag} is ${quoted(text)}; wanted an instant such as 2026-11-21T08:00:00Z, or a day`,
  );
}
