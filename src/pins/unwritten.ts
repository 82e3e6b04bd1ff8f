import { Failure } from "../base/failure.ts";
import { failedLeg, supersededLeg, type Leg, type LegFacts } from "./leg.ts";
import type { PinRow } from "./pin.ts";
import type { PromotionRules } from "./promotion-rules.ts";

/** What a leg comes to that would have written, in a run in which a policy refuses `refusal`. */
export function heldBack(facts: LegFacts, refusal: string): Leg {
  const failure = new Failure("held_back", `nothing was written, because a policy refuses ${refusal}`, {
    hint: "promote the others by themselves, or have the refusal lifted",
  });
  return failedLeg(facts, "held_back", failure);
}

/** What build `seq` comes to where `row` is of a newer one. */
export function superseded(
  facts: LegFacts,
  seq: number,
  row: PinRow,
  rule: PromotionRules["superseded"],
): Leg {
  const message = `${facts.wanted.template} is pinned by build ${row.seq}, newer than this one (${seq})`;
  const failure =
    rule === "fail"
      ? new Failure("superseded", message, {
          hint: "to go back on purpose: --allow-rollback --reason TEXT",
        })
      : null;
  return supersededLeg(facts, seq, row, failure);
}

/** What a write comes to that would have replaced another row than the one it was meant to; `row` is there now. */
export function overtaken(facts: LegFacts, row: PinRow | null, { code, message, serverText }: Failure): Leg {
  const { template, digest } = facts.wanted;
  const now = row === null ? "has no pin now" : `is pinned to ${row.digest} now`;
  const failure = new Failure(code, `${message}: ${template} ${now}; wanted ${digest}`, {
    hint: "look who changed it, and promote again if yours should win",
    serverText,
  });
  return failedLeg(facts, "failed", failure);
}
