/**
 * How long to wait before the next request, or null when the budget is over. What the server asks for goes before
 * our own interval; a longer wait than is left is cut to what is left, for one last try.
 */
export function nextDelay(asked: number | null, intervalMs: number, leftMs: number): number | null {
  if (leftMs <= 0) return null;
  if (asked === null || asked === 0) return intervalMs <= leftMs ? intervalMs : null;
  return Math.min(asked, leftMs);
}
