import { LIMITS } from "../../base/limits.ts";

/** A quarter of what a reader takes: a character may be three bytes, or two behind an escape. */
const PAGE_CHARS = LIMITS.eventPageBytes / 4;

/**
 * The first rows, at least one, whose texts go into one answer. Sizes are read before texts: a thousand may be a
 * gigabyte.
 */
export function fitting<Row extends { readonly chars: number }>(sizes: readonly Row[]): Row[] {
  let chars = 0;
  return sizes.filter((one, at) => (chars += one.chars) <= PAGE_CHARS || at === 0);
}
