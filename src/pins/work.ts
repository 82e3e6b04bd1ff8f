import type { Clock } from "../host/clock.ts";
import type { CommitRule } from "./leg-warnings.ts";
import type { WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import type { Target } from "./target.ts";

/** What a run is about: each of the pins in each of the environments. */
export type Work = {
  readonly targets: readonly Target[];
  readonly pins: readonly WantedPin[];
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** Whether a row of another commit than the named one is a failure. */
  readonly commit: CommitRule;
};

/** Each pin in each environment: one leg of the run. */
// Loops, here and on the way to the first request: the engine makes each method that takes a function (`map`, `find`,
// `flatMap`) when it is first called, and that takes 20 to 70 µs.
export function pairs(work: Work): [Target, WantedPin][] {
  const pairs: [Target, WantedPin][] = [];
  for (const target of work.targets) for (const wanted of work.pins) pairs.push([target, wanted]);
  return pairs;
}
