import type { Clock } from "../../src/host/clock.ts";

const BEGINNING = 1_000_000_000;

/** A clock that only sleeping moves: waits take no time, and what they add up to is exact. */
export class FakeClock implements Clock {
  // Not 0: a length of time and an instant must not look alike.
  #now = BEGINNING;
  /** Every wait, in milliseconds. */
  readonly slept: number[] = [];

  /** All of them together. */
  get past(): number {
    return this.#now - BEGINNING;
  }

  readonly now = (): number => this.#now;

  readonly sleep = async (ms: number, stop: AbortSignal): Promise<void> => {
    if (stop.aborted) return;
    this.slept.push(ms);
    this.#now += ms;
  };
}
