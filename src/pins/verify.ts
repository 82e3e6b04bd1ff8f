import { failedLeg, outcomeOfRead, provenLeg, type Attempt, type Leg } from "./leg.ts";
import { judgeLegs } from "./leg-warnings.ts";
import type { WantedPin } from "./pin.ts";
import { readBack, type ReadBackRule } from "./read-back.ts";
import type { Target } from "./target.ts";
import { pairs, type Work } from "./work.ts";

/** Reads every pin in every environment and writes nothing. */
export async function verifyAll(work: Work, rule: ReadBackRule): Promise<Leg[]> {
  const running: Promise<Leg>[] = [];
  for (const [target, wanted] of pairs(work)) running.push(verifyLeg(target, wanted, work, rule));
  return judgeLegs(await Promise.all(running), work.commit);
}

async function verifyLeg(target: Target, wanted: WantedPin, work: Work, rule: ReadBackRule): Promise<Leg> {
  const attempts: Attempt[] = [];
  const seen = await readBack(target, wanted, rule, work.exchange, work.clock, attempts);
  const facts = { target, wanted, before: seen.ok ? seen.proof.row : seen.last, attempts };
  if (seen.ok) return provenLeg(facts, wanted.unwanted === true ? "differs" : "matches", seen.proof);
  return failedLeg(facts, outcomeOfRead(seen.failure), seen.failure);
}
