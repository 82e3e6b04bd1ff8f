import { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import type { Clock } from "../host/clock.ts";
import { failedLeg, outcomeOfRead, provenLeg, type Attempt, type Leg } from "./leg.ts";
import type { PinNote, PinRow, WantedPin } from "./pin.ts";
import { writePin, type Exchange } from "./pin-client.ts";
import { readBack, type ReadBack, type ReadBackRule } from "./read-back.ts";
import type { Target } from "./target.ts";

export type PromotionRules = {
  /** Ceiling for one leg, in milliseconds; waiting for a conflict to pass has a budget of its own. */
  readonly timeoutMs: number;
  /** How long a 409 that can pass is waited for, in milliseconds. */
  readonly conflictBudgetMs: number;
  readonly retryIntervalMs: number;
  readonly readBack: Omit<ReadBackRule, "limitMs">;
};

type Tools = {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly note: PinNote;
  readonly rules: PromotionRules;
};

/** A single look, after a write whose outcome is open. */
const ONE_READ: ReadBackRule = { until: "readable", forMs: 0, limitMs: 0, stable: 1, intervalMs: 1 };

/**
 * Brings one pin to one environment and proves it: read, write, read back. Never throws for what a server does. A
 * write whose outcome is open is followed by a read before anything else; only a read decides that it landed.
 */
export async function promoteLeg(target: Target, wanted: WantedPin, tools: Tools): Promise<Leg> {
  const attempts: Attempt[] = [];
  const { rules } = tools;
  const started = tools.clock.now();
  // Waiting for a conflict to pass does not count against the ceiling.
  let conflictMs = 0;
  const first = await read({
    until: "readable",
    forMs: rules.timeoutMs,
    limitMs: rules.timeoutMs,
    stable: 1,
    intervalMs: rules.retryIntervalMs,
  });
  const before: PinRow | null = first.ok ? first.proof.row : first.last;
  const facts = { target, wanted, before, attempts };
  if (first.ok) {
    const proof = rules.readBack.stable > 1 ? await readAfter() : first;
    if (proof.ok) return provenLeg(facts, "already", proof.proof);
    return failedLeg(facts, outcomeOfRead(proof.failure), proof.failure);
  }
  // No row yet, or another digest, is what a promotion is for; anything else means that nothing could be proven.
  if (first.failure.code !== "pin_mismatch" && first.failure.code !== "row_missing") {
    return failedLeg(facts, outcomeOfRead(first.failure), first.failure);
  }
  const written = await write();
  if (written.kind === "not_written") return failedLeg(facts, "failed", written.failure);
  if (written.kind === "found") return provenLeg(facts, "landed_after_lost_response", written.proof.proof);
  const proof = await readAfter();
  if (proof.ok)
    return provenLeg(
      facts,
      written.kind === "accepted" ? "landed" : "landed_after_lost_response",
      proof.proof,
    );
  return unproven(proof, written);

  function read(rule: ReadBackRule): Promise<ReadBack> {
    return readBack(target, wanted, rule, tools.exchange, tools.clock, attempts);
  }

  /** The read-back, within the ceiling; what was sent gets the time of one attempt whatever is left. */
  function readAfter(): Promise<ReadBack> {
    const left = started + rules.timeoutMs + conflictMs - tools.clock.now();
    return read({ ...rules.readBack, limitMs: Math.max(left, tools.exchange.attemptTimeoutMs) });
  }

  /** Sends until the server takes or refuses it, within the budgets. */
  async function write(): Promise<Written> {
    const { clock, exchange } = tools;
    let conflictSince: number | null = null;
    let open = false;
    for (;;) {
      if (exchange.stop.aborted) {
        if (open) return { kind: "open" };
        return { kind: "not_written", failure: interruption(exchange.stop, `promoting ${wanted.template}`) };
      }
      const sent = clock.now();
      const answer = await writePin(target, wanted, tools.note, exchange);
      const result = answer.kind === "accepted" ? "accepted" : answer.failure.code;
      attempts.push({ method: "POST", status: answer.status, result, ms: Math.round(clock.now() - sent) });
      if (answer.kind === "accepted") return { kind: "accepted" };
      if (answer.kind === "ambiguous") {
        open = true;
        const look = await read(ONE_READ);
        // One look is not the row of equal reads that --stable asks for.
        if (look.ok) return rules.readBack.stable > 1 ? { kind: "open" } : { kind: "found", proof: look };
      }
      const now = clock.now();
      conflictSince = answer.kind === "conflict" ? (conflictSince ?? sent) : null;
      if (answer.kind === "conflict") conflictMs = now - sent + conflictMs + rules.retryIntervalMs;
      const budget = answer.kind === "conflict" ? rules.conflictBudgetMs : rules.timeoutMs;
      const since = conflictSince ?? started + conflictMs;
      const over = now + rules.retryIntervalMs - since > budget;
      if (answer.kind === "refused" || over) {
        // A write that was left open earlier may still arrive, whatever the last answer was.
        if (open) return { kind: "open" };
        const { kind, failure } = answer;
        return { kind: "not_written", failure: kind === "refused" ? failure : spent(failure, budget) };
      }
      await clock.sleep(rules.retryIntervalMs, exchange.stop);
    }
  }

  function unproven(proof: Extract<ReadBack, { ok: false }>, written: Written): Leg {
    const outcome = outcomeOfRead(proof.failure);
    // Only what was read last can tell that it did not land, and only of a write that had arrived by then.
    if (written.kind === "open" || outcome === "failed") {
      const failure = new Failure(
        "outcome_unknown",
        `the promotion was sent, and nothing proves that it landed: ${proof.failure.message}`,
        {
          hint: "run `waybill verify pin` before you promote again",
          serverText: proof.failure.serverText,
        },
      );
      return failedLeg(facts, "outcome_unknown", failure);
    }
    // Neither the old digest nor ours: somebody else wrote after us. Fighting over it would help nobody.
    const seen = proof.failure.code === "pin_mismatch" ? proof.last : null;
    if (seen !== null && seen.digest !== before?.digest && seen.digest !== wanted.digest) {
      const failure = new Failure(
        "moved_after_write",
        `${proof.failure.message}; somebody promoted after this run did`,
        {
          hint: "find out who promoted; run again only when yours should win",
        },
      );
      return failedLeg(facts, "moved_after_write", failure);
    }
    return failedLeg(facts, outcome, proof.failure);
  }
}

type Written =
  | { readonly kind: "accepted" }
  | { readonly kind: "not_written"; readonly failure: Failure }
  | { readonly kind: "found"; readonly proof: Extract<ReadBack, { ok: true }> }
  | { readonly kind: "open" };

function spent(failure: Failure, budgetMs: number): Failure {
  return new Failure(failure.code, `${failure.message}, and still after ${budgetMs / 1000} s`, failure);
}
