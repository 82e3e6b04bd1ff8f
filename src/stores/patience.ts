import { Failure } from "../base/failure.ts";

export type Pace = {
  /** Milliseconds without one byte. */
  readonly idleMs: number;
  /** Bytes per second, over any `idleMs`: a server that drips is as good as none. */
  readonly leastRate: number;
  /** Milliseconds for one object in all, pauses included. */
  readonly deadlineMs: number;
};

/** Watches one transfer and gives up on it: `signal` is aborted, and `given` says why. */
export class Patience implements Disposable {
  readonly signal: AbortSignal;
  readonly #expired: AbortController = new AbortController();
  readonly #pace: Pace;
  readonly #remainingMs: number;
  readonly #started: number = performance.now();
  readonly #timer: Timer;
  #last: number = performance.now();
  #windowStart: number = performance.now();
  #windowBytes = 0;
  #reason: string | null = null;

  constructor(pace: Pace, remainingMs: number, stop: AbortSignal) {
    this.#pace = pace;
    this.#remainingMs = remainingMs;
    this.signal = AbortSignal.any([stop, this.#expired.signal]);
    this.#timer = setInterval(
      () => this.#look(),
      Math.max(10, Math.min(1_000, pace.idleMs / 4, remainingMs / 4)),
    );
  }

  saw(bytes: number): void {
    if (bytes > 0) this.#last = performance.now();
    this.#windowBytes += bytes;
  }

  /** The failure of a transfer that was given up, or null. */
  given(store: string): Failure | null {
    if (this.#reason === null) return null;
    return new Failure("deadline_passed", `${store} ${this.#reason}`, {
      hint: "see --store-idle-timeout, --store-min-rate and --store-timeout",
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const { idleMs, leastRate, deadlineMs } = this.#pace;
    if (now - this.#started >= this.#remainingMs)
      return this.#end(`gave no whole object within ${deadlineMs} ms`);
    if (now - this.#last >= idleMs) return this.#end(`sent nothing for ${idleMs} ms`);
    const windowMs = now - this.#windowStart;
    if (windowMs < idleMs) return;
    if ((this.#windowBytes * 1000) / windowMs < leastRate) {
      return this.#end(
        `sent ${this.#windowBytes} bytes in ${Math.round(windowMs)} ms; wanted ${leastRate} a second`,
      );
    }
    this.#windowStart = now;
    this.#windowBytes = 0;
  }

  #end(reason: string): void {
    this.#reason ??= reason;
    this.#expired.abort();
  }
}
