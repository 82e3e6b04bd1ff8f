type Bucket = { tokens: number; at: number };

/** More callers than this and the one that was seen least recently starts afresh. */
const MOST_CALLERS = 10_000;

/** A bucket of `burst` requests for each caller, filled again at `perSecond`. Time in milliseconds. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Seconds to wait before the next one may come; 0 when there is one left. Takes nothing. */
  waitOf(caller: string, now: number): number {
    const left = this.#filled(caller, now).tokens;
    return left >= 1 ? 0 : Math.ceil((1 - left) / this.#perSecond);
  }

  take(caller: string, now: number): void {
    const bucket = this.#filled(caller, now);
    bucket.tokens = Math.max(0, bucket.tokens - 1);
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size <= MOST_CALLERS) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      break;
    }
  }

  #filled(caller: string, now: number): Bucket {
    const bucket = this.#buckets.get(caller) ?? { tokens: this.#burst, at: now };
    // A clock that was set back must not freeze anybody.
    const seconds = Math.max(0, now - bucket.at) / 1_000;
    return { tokens: Math.min(this.#burst, bucket.tokens + seconds * this.#perSecond), at: now };
  }
}
