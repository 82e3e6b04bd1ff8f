import type { Clock } from "../host/clock.ts";
import { failedLeg, outcomeOfRead, provenLeg, type Attempt, type Leg } from "./leg.ts";
import { judgeLeg, type CommitRule } from "./leg-warnings.ts";
import type { PinNote, WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import { Promotion } from "./promotion.ts";
import type { PromotionRules } from "./promotion-rules.ts";
import { readBack, type ReadBackRule } from "./read-back.ts";
import type { Target } from "./target.ts";

type Work = {
  readonly targets: readonly Target[];
  readonly pins: readonly WantedPin[];
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** Whether a row of another commit than the named one is a failure. */
  readonly commit: CommitRule;
  /** Done when everything was looked at and nothing stands against a write, before the first one. */
  readonly beforeWrites?: () => Promise<void>;
};

/**
 * Every pin in every environment. All of them are looked at before the first write, and what a policy refuses stops
 * every write; after that no leg waits for another or fails because of it. `run` names the run, the same in each of
 * its repetitions.
 */
export async function promoteAll(
  work: Work,
  note: PinNote,
  rules: PromotionRules,
  run: string,
): Promise<Leg[]> {
  const { exchange, clock } = work;
  const promotions = pairs(work).map(
    ([target, wanted]) => new Promotion(target, wanted, { exchange, clock, note, rules, run }),
  );
  await Promise.all(promotions.map((promotion) => promotion.look()));
  const refusal = promotions.map((promotion) => promotion.refusal).find((found) => found !== null);
  if (refusal === undefined) await work.beforeWrites?.();
  const legs = await Promise.all(
    promotions.map((promotion) => (refusal === undefined ? promotion.finish() : promotion.heldBack(refusal))),
  );
  return legs.map((leg) => judgeLeg(leg, work.commit));
}

/** Reads every pin in every environment and writes nothing. */
export async function verifyAll(work: Work, rule: ReadBackRule): Promise<Leg[]> {
  const legs = await Promise.all(
    pairs(work).map(([target, wanted]) => verifyLeg(target, wanted, work, rule)),
  );
  return legs.map((leg) => judgeLeg(leg, work.commit));
}

async function verifyLeg(target: Target, wanted: WantedPin, work: Work, rule: ReadBackRule): Promise<Leg> {
  const attempts: Attempt[] = [];
  const seen = await readBack(target, wanted, rule, work.exchange, work.clock, attempts);
  const facts = { target, wanted, before: seen.ok ? seen.proof.row : seen.last, attempts };
  if (seen.ok) return provenLeg(facts, wanted.unwanted === true ? "differs" : "matches", seen.proof);
  return failedLeg(facts, outcomeOfRead(seen.failure), seen.failure);
}

function pairs(work: Work): [Target, WantedPin][] {
  return work.targets.flatMap((target) => work.pins.map((wanted): [Target, WantedPin] => [target, wanted]));
}
