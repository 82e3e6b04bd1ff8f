import { LIMITS } from "../../base/limits.ts";

/** A quarter of what a reader takes: a character may be three bytes, or two behind an escape. */
const PAGE_CHARS = LIMITS.eventPageBytes / 4;

/**
 * The first rows, at least one, whose texts go into one answer.
 * Sizes are read before texts: a thousand may be a gigabyte.
 */
export function fitting<Row extends { readonly chars: number }>(sizes: readonly Row[]): Row[] {
  let chars = 0;
  return sizes.filter((one, at) => (chars += one.chars) <= PAGE_CHARS || at === 0);
}

/**
 * Where a page of at most `limit` rows ends, by the sizes of those that were asked for. `next` is the row behind which
 * there may be more. Both are null where there is none.
 */
export function pageEnd<Row extends { readonly chars: number }>(
  sizes: readonly Row[],
  limit: number,
): { readonly last: Row | null; readonly next: Row | null } {
  const page = fitting(sizes);
  const last = page.at(-1) ?? null;
  return { last, next: page.length < limit && page.length === sizes.length ? null : last };
}
