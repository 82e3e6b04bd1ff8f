const LONGEST_WAIT_MS = 3_600_000;

/**
 * Milliseconds until the control plane is asked again: the interval, a tenth earlier or later so that a fleet does not
 * come at once, and never before `askedMs`, which the server wants to be left alone. `random` is in [0, 1).
 */
export function nextPollMs(intervalMs: number, askedMs: number | null, random: number): number {
  const spread = intervalMs * (0.9 + random / 5);
  return Math.round(Math.max(spread, Math.min(askedMs ?? 0, LONGEST_WAIT_MS) * (1 + random / 10)));
}
