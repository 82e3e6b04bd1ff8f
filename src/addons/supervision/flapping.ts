/** What one add-on was asked to be within the last minutes; `key` stands for all that it is asked. Milliseconds. */
export type Wishes = {
  /** What it is now, or is on its way to. */
  readonly key: string;
  /** What it was before, newest first, and until when. */
  readonly left: readonly { readonly key: string; readonly atMs: number }[];
};

/** How long a wish is remembered. */
export const HOLD_MS = 600_000;
/** Ways back within that time that are obeyed: somebody may take back a mistake, and that as well. */
const MOST_RETURNS = 2;

export type Weighed = {
  readonly wishes: Wishes;
  /** Whether it stays what it is, whatever is asked. */
  readonly isHeld: boolean;
};

/**
 * Weighs one more wish. What was not asked for lately is obeyed at once: it may be the remedy. What goes back and forth
 * between the same things is obeyed a few times and then held, as each change ends a program that may be well.
 */
export function weighWish(before: Wishes | null, key: string, nowMs: number): Weighed {
  if (before === null) return { wishes: { key, left: [] }, isHeld: false };
  const left = before.left.filter(({ atMs }) => nowMs - atMs < HOLD_MS);
  if (key === before.key) return { wishes: { key, left }, isHeld: false };
  const keys = [before.key, ...left.map((one) => one.key)];
  const returns = keys.length - new Set(keys).size;
  if (keys.includes(key) && returns >= MOST_RETURNS) return { wishes: { ...before, left }, isHeld: true };
  return { wishes: { key, left: [{ key: before.key, atMs: nowMs }, ...left] }, isHeld: false };
}
