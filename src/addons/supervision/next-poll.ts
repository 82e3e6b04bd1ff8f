const LONGEST_WAIT_MS = 3_600_000;

/**
 * Milliseconds until the control plane is asked again: the interval, a tenth earlier or later so that a fleet does not
 * come at once, and never before the server said. `random` is in [0, 1).
 */
export function nextPollMs(
  intervalMs: number,
  retryAfter: string | null,
  nowMs: number,
  random: number,
): number {
  const spread = intervalMs * (0.9 + random / 5);
  const after = retryAfter === null ? 0 : waitOf(retryAfter.trim(), nowMs);
  return Math.round(Math.max(spread, Math.min(after, LONGEST_WAIT_MS) * (1 + random / 10)));
}

function waitOf(text: string, nowMs: number): number {
  if (/^\d{1,9}$/u.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? 0 : at - nowMs;
}
