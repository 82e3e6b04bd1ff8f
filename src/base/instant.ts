const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/u;

/**
 * The last one that can be written so. It stands for a time that nobody can tell: whatever expires has expired by it.
 */
export const LAST_INSTANT: Date = new Date("9999-12-31T23:59:59.999Z");

/** Whether a time is one that somebody told, and not the one that stands for none. */
export function isTold(at: Date): boolean {
  return at.getTime() !== LAST_INSTANT.getTime();
}

/** An RFC 3339 instant in UTC, or null. Only with a Z: a time that two readers place differently is no limit. */
export function instantOf(value: unknown): Date | null {
  if (typeof value !== "string" || !INSTANT.test(value)) return null;
  const at = new Date(value);
  // `2026-02-30` would roll over into March.
  return Number.isNaN(at.getTime()) || !at.toISOString().startsWith(value.slice(0, 19)) ? null : at;
}
