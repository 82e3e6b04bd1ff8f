import type { Clock } from "../../host/clock.ts";
import type { HostReport } from "../staging/stage-host.ts";
import type { Agent } from "./agent.ts";
import { nextPollMs } from "./next-poll.ts";

/** Rounds in a row that may be given up: a list that changes at every poll must not keep a large artifact away. */
const MOST_GIVEN_UP = 3;

/** Brings a host to its list, one round after the other, and leaves one whose list is not what it was any more. */
export class WatchedRounds {
  readonly #agent: Pick<Agent, "round" | "hasOtherList">;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #stop: AbortSignal;
  #givenUp = 0;

  constructor(
    agent: Pick<Agent, "round" | "hasOtherList">,
    clock: Clock,
    intervalMs: number,
    stop: AbortSignal,
  ) {
    this.#agent = agent;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#stop = stop;
  }

  /** "overtaken" when the next one is to begin at once, as there is another list; null when it failed. */
  async next(): Promise<HostReport | "overtaken" | null> {
    const overtaken = new AbortController();
    const done = new AbortController();
    const watching = this.#watch(overtaken, AbortSignal.any([done.signal, this.#stop]));
    const report = await this.#agent.round(overtaken.signal);
    done.abort();
    await watching;
    const isOvertaken = overtaken.signal.aborted;
    // One that came to its end all the same kept nothing away.
    this.#givenUp = isOvertaken && report === null ? this.#givenUp + 1 : 0;
    return isOvertaken ? "overtaken" : report;
  }

  async #watch(overtaken: AbortController, ended: AbortSignal): Promise<void> {
    if (this.#givenUp >= MOST_GIVEN_UP) return;
    while (!ended.aborted) {
      await this.#clock.sleep(nextPollMs(this.#intervalMs, null, Math.random()), ended);
      if (ended.aborted || !(await this.#agent.hasOtherList(ended))) continue;
      return overtaken.abort("another list");
    }
  }
}
