/** The only clock of everything that waits or measures. Tests bring their own. */
export type Clock = {
  /** Milliseconds since some fixed moment; never goes back. */
  readonly now: () => number;
  /** Resolves after `ms`, or at once when `stop` is aborted: the caller then looks at `stop`. */
  readonly sleep: (ms: number, stop: AbortSignal) => Promise<void>;
};

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, stop) =>
    new Promise((resolve) => {
      if (stop.aborted) return resolve();
      const timer = setTimeout(done, ms);
      stop.addEventListener("abort", done, { once: true });
      function done(): void {
        clearTimeout(timer);
        stop.removeEventListener("abort", done);
        resolve();
      }
    }),
};
