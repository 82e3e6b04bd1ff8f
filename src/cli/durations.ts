import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_MS = 3_650 * 86_400_000;

type Range = { readonly least?: number };

/** Milliseconds of `10s`, `500ms`, `3m`, `2h`, `90d`. A bare number has no unit and is refused. */
export function parseDuration(text: string, flag: string, range: Range = {}): number {
  const found = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/u.exec(text);
  const milliseconds = found === null ? Number.NaN : Number(found[1]) * (UNITS[found[2] ?? ""] ?? Number.NaN);
  const least = range.least ?? 1;
  if (!(milliseconds >= least && milliseconds <= LONGEST_MS)) {
    throw new Failure(
      "invalid_value",
      `${flag} is ${quoted(text)}; wanted a duration such as 10s, 500ms or 3m`,
      {
        hint: least > 0 ? "zero is refused: it would wait for nothing, or for ever" : undefined,
      },
    );
  }
  return Math.round(milliseconds);
}
