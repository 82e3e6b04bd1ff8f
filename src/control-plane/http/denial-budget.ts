const WINDOW_MS = 60_000;
const PER_WINDOW = 60;

/**
 * How many refusals of strangers are recorded one by one. Beyond it they are only counted: an append-only table
 * that anybody may write to would fill the disk.
 */
export class DenialBudget {
  #windowStart = -Infinity;
  #recorded = 0;
  #suppressed = 0;

  /** null: count only. A number: record, and say how many before it were only counted. */
  admit(nowMs: number): number | null {
    if (nowMs - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = nowMs;
      this.#recorded = 0;
    }
    if (this.#recorded >= PER_WINDOW) {
      this.#suppressed++;
      return null;
    }
    this.#recorded++;
    const before = this.#suppressed;
    this.#suppressed = 0;
    return before;
  }
}
