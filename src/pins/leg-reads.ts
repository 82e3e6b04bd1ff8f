import type { Clock } from "../host/clock.ts";
import type { Attempt } from "./leg.ts";
import { nextDelay } from "./next-delay.ts";
import type { PinNote, WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import { preflight, type Seen } from "./preflight.ts";
import type { PromotionRules } from "./promotion-rules.ts";
import { readBack, type ReadBack, type ReadBackRule } from "./read-back.ts";
import { waited } from "./send-write.ts";
import type { Target } from "./target.ts";

type Tools = {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly note: PinNote;
  readonly rules: PromotionRules;
  /** Where each request is recorded. */
  readonly attempts: Attempt[];
};

/** All that one promotion reads, before its write and after it, within the time that its leg may take. */
export class LegReads {
  readonly #target: Target;
  readonly #wanted: WantedPin;
  readonly #tools: Tools;
  /** The ceiling, as an instant of the clock. */
  #end: number;

  constructor(target: Target, wanted: WantedPin, tools: Tools) {
    this.#target = target;
    this.#wanted = wanted;
    this.#tools = tools;
    this.#end = tools.clock.now() + tools.rules.timeoutMs;
  }

  get end(): number {
    return this.#end;
  }

  /** Waiting for a conflict has a budget of its own. */
  addConflict(ms: number): void {
    this.#end += ms;
  }

  /** What is there, and what a promotion does of it, by one attempt. `wantsVersion` where the server asked for one. */
  see({ wantsVersion = false }: { wantsVersion?: boolean } = {}): Promise<Seen> {
    const { attempts, clock, exchange, note, rules } = this.#tools;
    const asked = { target: this.#target, wanted: this.#wanted, note, intent: rules };
    return preflight({ ...asked, exchange, clock, attempts, wantsVersion });
  }

  /** The same, after `first`, for as long as the leg may take where nothing could be read. */
  async seeAtLast(first: Seen | null): Promise<Seen> {
    const { attempts, clock, exchange, rules } = this.#tools;
    let seen = first ?? (await this.see());
    while (seen.is === "unread") {
      const delay = nextDelay(seen.waitMs, rules.retryIntervalMs, this.#leftMs());
      if (delay === null) break;
      waited(attempts, delay);
      await clock.sleep(delay, exchange.stop);
      seen = await this.see();
    }
    return seen;
  }

  /** One readable state, or none until then; a single attempt where that is over. */
  look(until: number): Promise<ReadBack> {
    const { clock, rules } = this.#tools;
    const forMs = until - clock.now();
    const intervalMs = rules.retryIntervalMs;
    return this.#read({ until: "readable", stable: 1, forMs, limitMs: forMs, intervalMs });
  }

  /** The read-back, within the ceiling; what was sent gets the time of one attempt whatever is left. */
  after(): Promise<ReadBack> {
    const { exchange, rules } = this.#tools;
    return this.#read({ ...rules.readBack, limitMs: Math.max(this.#leftMs(), exchange.attemptTimeoutMs) });
  }

  #read(rule: ReadBackRule): Promise<ReadBack> {
    const { attempts, clock, exchange } = this.#tools;
    return readBack(this.#target, this.#wanted, rule, exchange, clock, attempts);
  }

  #leftMs(): number {
    return this.#end - this.#tools.clock.now();
  }
}
