import type { Leg } from "./leg.ts";
import { judgeLegs } from "./leg-warnings.ts";
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
  const promotions: Promotion[] = [];
  const looks: Promise<void>[] = [];
  for (const [target, wanted] of pairs(work)) {
    const promotion = new Promotion(target, wanted, { exchange, clock, note, rules, run });
    promotions.push(promotion);
    looks.push(promotion.look());
  }
  await Promise.all(looks);
  let refusal: string | null = null;
  for (const promotion of promotions) refusal ??= promotion.refusal;
  if (refusal === null) await work.beforeWrites?.();
  const ends: Promise<Leg>[] = [];
  for (const promotion of promotions)
    ends.push(refusal === null ? promotion.finish() : promotion.heldBack(refusal));
  return judgeLegs(await Promise.all(ends), work.commit);
}
