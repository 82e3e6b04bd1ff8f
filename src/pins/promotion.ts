import { EXIT } from "../base/exit-codes.ts";
import type { Failure } from "../base/failure.ts";
import type { Clock } from "../host/clock.ts";
import { idempotencyKey } from "./idempotency.ts";
import { failedLeg, outcomeOfRead, plannedLeg, provenLeg } from "./leg.ts";
import type { Attempt, Leg, LegFacts, RaceWindow } from "./leg.ts";
import { LegReads } from "./leg-reads.ts";
import type { NextWrite } from "./next-write.ts";
import { satisfies, type PinNote, type PinRow, type WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import type { Seen } from "./preflight.ts";
import type { PromotionRules } from "./promotion-rules.ts";
import type { ReadBack } from "./read-back.ts";
import { sendWrite, type Looks, type Written } from "./send-write.ts";
import type { Condition } from "./standing.ts";
import type { Target } from "./target.ts";
import { changedSince, judgeLook, unproven, unread, type Look } from "./unproven.ts";
import { superseded, heldBack, overtaken } from "./unwritten.ts";

type Tools = {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly note: PinNote;
  readonly rules: PromotionRules;
  /** What all attempts of one run have in common. */
  readonly run: string;
};

/**
 * One pin on its way to one environment: `look` once, by GETs alone; then, when no other leg of the run stands in
 * the way, `finish`: write, read back, prove. Never throws for what a server does.
 */
export class Promotion {
  readonly #target: Target;
  readonly #wanted: WantedPin;
  readonly #tools: Tools;
  readonly #attempts: Attempt[] = [];
  readonly #reads: LegReads;
  /** A write of this leg may have arrived, whatever became of the ones after it. */
  #isOpen = false;
  #seen: Seen | null = null;

  constructor(target: Target, wanted: WantedPin, tools: Tools) {
    this.#target = target;
    this.#wanted = wanted;
    this.#tools = tools;
    this.#reads = new LegReads(target, wanted, { ...tools, attempts: this.#attempts });
  }

  /** One attempt only: an environment that is dead must not keep the others waiting. */
  async look(): Promise<void> {
    this.#seen = await this.#reads.see();
  }

  /** What a policy has against this leg, and so against every write of the run; null for nothing. */
  get refusal(): string | null {
    const seen = this.#seen;
    if (seen?.is !== "read" || seen.next.does !== "refuse") return null;
    const { failure } = seen.next;
    if (failure.exitCode !== EXIT.policy) return null;
    return `${this.#target.env}: ${failure.message}`;
  }

  /** The leg of a run in which a policy refused another one, or this one. */
  async heldBack(refusal: string): Promise<Leg> {
    const seen = this.#seen;
    // Not even blindly, as --no-verify would.
    if (seen?.is === "unread" || seen?.is === "failed") return this.#failed(seen.failure);
    if (seen?.is !== "read" || seen.next.does !== "write") return this.finish();
    return heldBack(this.#facts(seen.row), refusal);
  }

  async finish(): Promise<Leg> {
    const seen = await this.#reads.seeAtLast(this.#seen);
    if (seen.is === "there") {
      return this.#alreadyThere(seen.proof, "already", this.#facts(seen.proof.proof.row));
    }
    return seen.is === "read" ? this.#obey(seen.next, seen.row, !seen.isVersioned) : this.#unreadable(seen);
  }

  async #obey(next: NextWrite, row: PinRow | null, mayUpgrade: boolean): Promise<Leg> {
    const { rules } = this.#tools;
    const facts = this.#facts(row);
    if (next.does === "refuse") return this.#notWritten(facts, next.failure);
    if (next.does === "yield") return this.#superseded(next.row);
    if (rules.dryRun === true) return plannedLeg(facts);
    const { condition } = next;
    const isConditional = condition !== null;
    const written = await this.#write(row, condition, {
      after: (until) => this.#lookAfter(row, isConditional, until),
      before: isConditional ? null : async (until) => changedSince(await this.#reads.look(until), row),
    });
    return this.#conclude(written, row, condition, mayUpgrade);
  }

  #write(before: PinRow | null, condition: Condition | null, looks: Looks): Promise<Written> {
    const { clock, exchange, note, rules, run } = this.#tools;
    const key = idempotencyKey(run, this.#target.env, this.#wanted, before);
    return sendWrite(
      this.#target,
      { wanted: this.#wanted, note, condition, idempotencyKey: key },
      { ...rules, end: this.#reads.end },
      looks,
      { clock, exchange, attempts: this.#attempts },
    );
  }

  /** What a write whose outcome is open left there; where that decides, read for as long as the leg may take. */
  async #lookAfter(before: PinRow | null, isConditional: boolean, until: number): Promise<Look> {
    const read = await this.#reads.look(isConditional ? 0 : until);
    const look = judgeLook(read, before, isConditional);
    // One look is not the row of equal reads that --stable asks for.
    return typeof look === "string" || this.#tools.rules.readBack.stable === 1 ? look : "undecided";
  }

  async #conclude(
    written: Written,
    before: PinRow | null,
    condition: Condition | null,
    mayUpgrade: boolean,
  ): Promise<Leg> {
    this.#reads.addConflict(written.conflictMs);
    this.#isOpen ||= "open" in written && written.open;
    const facts = this.#facts(before, condition === null ? "open" : "closed");
    switch (written.kind) {
      case "not_written":
        return this.#notWritten(this.#facts(before), written.failure);
      case "found":
        return provenLeg(facts, "landed_after_lost_response", written.proof.proof);
      case "overtaken":
        return this.#overtaken(written, this.#isOpen ? facts : this.#facts(before));
      case "condition_wanted": {
        const seen = mayUpgrade ? await this.#reads.see({ wantsVersion: true }) : null;
        if (seen?.is === "there") return this.#alreadyThere(seen.proof, this.#found(), this.#facts(before));
        const knows = seen?.is === "read" && seen.isVersioned;
        return knows
          ? this.#obey(seen.next, seen.row, false)
          : this.#notWritten(this.#facts(before), written.failure);
      }
      case "accepted":
      case "open":
    }
    const isOpen = written.kind === "open";
    if (this.#tools.rules.unverified === true && !isOpen) return unread(facts);
    const after = await this.#reads.after();
    if (after.ok) return provenLeg(facts, isOpen ? "landed_after_lost_response" : "landed", after.proof);
    return unproven(facts, after, isOpen);
  }

  /** The row was no longer the one that was read: what is there now decides, and nothing is written over it. */
  async #overtaken(written: Extract<Written, { open: boolean }>, facts: LegFacts): Promise<Leg> {
    const seen = await this.#reads.see();
    if (seen.is === "there") return this.#alreadyThere(seen.proof, this.#found(), facts);
    if (seen.is !== "read") return this.#notWritten(facts, this.#isOpen ? seen.failure : written.failure);
    if (seen.next.does === "yield") return this.#superseded(seen.next.row);
    if (seen.row !== null && satisfies(seen.row.digest, this.#wanted))
      return this.#alreadyThere(await this.#reads.after(), this.#found(), facts);
    return overtaken(facts, seen.row, written.failure);
  }

  async #alreadyThere(
    found: ReadBack,
    outcome: "already" | "landed_after_lost_response",
    facts: LegFacts,
  ): Promise<Leg> {
    const isProof = !found.ok || found.proof.reads >= this.#tools.rules.readBack.stable;
    const proof = isProof ? found : await this.#reads.after();
    if (proof.ok) return provenLeg(facts, outcome, proof.proof);
    if (this.#isOpen) return unproven(facts, proof, true);
    return failedLeg(facts, outcomeOfRead(proof.failure), proof.failure);
  }

  /** What a digest that is there comes to, for a leg that wrote nothing by its last attempt. */
  #found(): "already" | "landed_after_lost_response" {
    return this.#isOpen ? "landed_after_lost_response" : "already";
  }

  /** The last attempt wrote nothing; an earlier one may have. */
  #notWritten(facts: LegFacts, failure: Failure): Leg {
    if (!this.#isOpen) return failedLeg(facts, "failed", failure);
    const sent = { ...facts, raceWindow: facts.raceWindow ?? "open" };
    return unproven(sent, { ok: false, failure, last: null, waitMs: null, isVersioned: false }, true);
  }

  #superseded(row: PinRow): Leg {
    const { note, rules } = this.#tools;
    return superseded(this.#facts(row), note.seq ?? 0, row, rules.superseded);
  }

  /** A token that may promote and not read can still write, when the caller wants no proof. */
  async #unreadable(seen: Extract<Seen, { failure: Failure }>): Promise<Leg> {
    const { note, rules } = this.#tools;
    // What has to be compared with the row cannot be asked of a write without one.
    const compares = note.seq !== undefined || rules.expectPrevious !== undefined;
    const isBlind = seen.failure.exitCode === EXIT.auth && rules.unverified === true && !compares;
    if (!isBlind) return this.#failed(seen.failure);
    const looks = { after: (until: number) => this.#lookAfter(null, false, until), before: null };
    return this.#conclude(await this.#write(null, null, looks), null, null, false);
  }

  #failed(failure: Failure): Leg {
    const row = this.#seen?.is === "failed" ? this.#seen.row : null;
    return failedLeg(this.#facts(row), outcomeOfRead(failure), failure);
  }

  #facts(before: PinRow | null, raceWindow: RaceWindow | null = null): LegFacts {
    return { target: this.#target, wanted: this.#wanted, before, attempts: this.#attempts, raceWindow };
  }
}
