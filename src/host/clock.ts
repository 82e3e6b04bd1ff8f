/** The only clock of everything that waits or measures. Tests bring their own. */
export type Clock = {
  /** Milliseconds since some fixed moment; never goes back. */
  readonly now: () => number;
  /** Resolves after `ms`, 24 days at most, or at once when `stop` is aborted: the caller then looks at `stop`. */
  readonly sleep: (ms: number, stop: AbortSignal) => Promise<void>;
};

/** The longest that a timer of the runtime can wait: one that is set for more fires at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, stop) =>
    new Promise((resolve) => {
      if (stop.aborted) return resolve();
      const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
      stop.addEventListener("abort", done, { once: true });
      function done(): void {
        clearTimeout(timer);
        stop.removeEventListener("abort", done);
        resolve();
      }
    }),
};
