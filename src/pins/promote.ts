import type { Leg } from "./leg.ts";
import { judgeLeg } from "./leg-warnings.ts";
import type { PinNote } from "./pin.ts";
import { Promotion } from "./promotion.ts";
import type { PromotionRules } from "./promotion-rules.ts";
import { pairs, type Work } from "./work.ts";

type PromotedWork = Work & {
  /** Done when everything was looked at and nothing stands against a write, before the first one. */
  readonly beforeWrites?: () => Promise<void>;
};

/**
 * Every pin in every environment. All of them are looked at before the first write, and what a policy refuses stops
 * every write; after that no leg waits for another or fails because of it. `run` names the run, the same in each of
 * its repetitions.
 */
export async function promoteAll(
  work: PromotedWork,
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
