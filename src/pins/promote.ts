import type { Clock } from "../host/clock.ts";
import { failedLeg, outcomeOfRead, provenLeg, type Attempt, type Leg } from "./leg.ts";
import type { PinNote, WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import { promoteLeg, type PromotionRules } from "./promote-leg.ts";
import { readBack, type ReadBackRule } from "./read-back.ts";
import type { Target } from "./target.ts";

type Work = {
  readonly targets: readonly Target[];
  readonly pins: readonly WantedPin[];
  readonly exchange: Exchange;
  readonly clock: Clock;
};

/** Every pin in every environment, side by side: no leg waits for another or fails because of it. */
export function promoteAll(work: Work, note: PinNote, rules: PromotionRules): Promise<Leg[]> {
  const { exchange, clock } = work;
  return Promise.all(
    pairs(work).map(([target, wanted]) => promoteLeg(target, wanted, { exchange, clock, note, rules })),
  );
}

/** Reads every pin in every environment and writes nothing. */
export function verifyAll(work: Work, rule: ReadBackRule): Promise<Leg[]> {
  return Promise.all(pairs(work).map(([target, wanted]) => verifyLeg(target, wanted, work, rule)));
}

async function verifyLeg(target: Target, wanted: WantedPin, work: Work, rule: ReadBackRule): Promise<Leg> {
  const attempts: Attempt[] = [];
  const seen = await readBack(target, wanted, rule, work.exchange, work.clock, attempts);
  const facts = { target, wanted, before: seen.ok ? seen.proof.row : seen.last, attempts };
  if (seen.ok) return provenLeg(facts, "matches", seen.proof);
  return failedLeg(facts, outcomeOfRead(seen.failure), seen.failure);
}

function pairs(work: Work): [Target, WantedPin][] {
  return work.targets.flatMap((target) => work.pins.map((wanted): [Target, WantedPin] => [target, wanted]));
}
