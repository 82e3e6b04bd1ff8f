import type { Clock } from "../../src/host/clock.ts";

/** A clock that only sleeping moves: waits take no time, and what they add up to is exact. */
export class FakeClock implements Clock {
  #now = 0;
  /** Every wait, in milliseconds. */
  readonly slept: number[] = [];

  readonly now = (): number => this.#now;

  readonly sleep = async (ms: number, stop: AbortSignal): Promise<void> => {
    if (stop.aborted) return;
    this.slept.push(ms);
    this.#now += ms;
  };
}
