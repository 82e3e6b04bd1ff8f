import type { Layout } from "../on-host/layout.ts";
import type { Clock } from "../../host/clock.ts";
import type { RootQueue } from "./root-queue.ts";
import type { SpecsCache } from "./specs-cache.ts";
import type { Trials } from "./trials.ts";

/** All times are milliseconds of a clock that never goes back. */
export type Clockwork = {
  readonly now: () => number;
  readonly random: () => number;
  readonly stop: AbortSignal;
};

/** What all that runs on a host is supervised with. */
export type AgentParts = {
  readonly layout: Layout;
  readonly specs: SpecsCache;
  readonly trials: Trials;
  readonly queue: RootQueue;
  readonly clock: Clockwork & Clock;
  readonly say: { readonly info: (text: string) => void; readonly warn: (text: string) => void };
};
