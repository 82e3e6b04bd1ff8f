/**
 * The milliseconds that git may take, for all calls of a run together. The clock runs while at least one of them does:
 * that a large context takes long to read is not git's time.
 */
export class GitBudget {
  readonly #now: () => number;
  #left: number;
  #running = 0;
  /** When the first of those began that run now. */
  #since = 0;

  constructor(milliseconds: number, now: () => number = () => performance.now()) {
    this.#left = milliseconds;
    this.#now = now;
  }

  /** Not above 0 once it is spent. */
  get left(): number {
    return this.#left - (this.#running === 0 ? 0 : this.#now() - this.#since);
  }

  /** Gives what `call` gives, and counts the time until then. */
  async spend<T>(call: () => Promise<T>): Promise<T> {
    if (this.#running++ === 0) this.#since = this.#now();
    try {
      return await call();
    } finally {
      if (--this.#running === 0) this.#left -= this.#now() - this.#since;
    }
  }
}
