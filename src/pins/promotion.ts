import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../host/clock.ts";
import { idempotencyKey } from "./idempotency.ts";
import { failedLeg, outcomeOfRead, plannedLeg, provenLeg, supersededLeg } from "./leg.ts";
import type { Attempt, Leg, LegFacts, RaceWindow } from "./leg.ts";
import type { NextWrite } from "./next-write.ts";
import { satisfies, type PinNote, type PinRow, type WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import { preflight, type Seen } from "./preflight.ts";
import type { PromotionRules } from "./promotion-rules.ts";
import { readBack, type ReadBack, type ReadBackRule } from "./read-back.ts";
import { nextDelay } from "./next-delay.ts";
import { sendWrite, waited, type Written } from "./send-write.ts";
import type { Condition } from "./standing.ts";
import type { Target } from "./target.ts";
import { judgeLook, unproven, unread, type Look } from "./unproven.ts";

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
  readonly #started: number;
  #conflictMs = 0;
  /** A write of this leg may have arrived, whatever became of the ones after it. */
  #isOpen = false;
  #seen: Seen | null = null;

  constructor(target: Target, wanted: WantedPin, tools: Tools) {
    this.#target = target;
    this.#wanted = wanted;
    this.#tools = tools;
    this.#started = tools.clock.now();
  }

  /** One attempt only: an environment that is dead must not keep the others waiting. */
  async look(): Promise<void> {
    this.#seen = await this.#see(0, false);
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
    const failure = new Failure("held_back", `nothing was written, because a policy refuses ${refusal}`, {
      hint: "promote the others by themselves, or have the refusal lifted",
    });
    return failedLeg(this.#facts(seen.row), "held_back", failure);
  }

  async finish(): Promise<Leg> {
    const seen = await this.#seenAtLast();
    if (seen.is === "there") {
      return this.#alreadyThere(seen.proof, "already", this.#facts(seen.proof.proof.row));
    }
    return seen.is === "read" ? this.#obey(seen.next, seen.row, !seen.isVersioned) : this.#unreadable(seen);
  }

  /** Goes on reading for as long as the leg may take. */
  async #seenAtLast(): Promise<Seen> {
    const { clock, exchange, rules } = this.#tools;
    let seen = this.#seen ?? (await this.#see(0, false));
    while (seen.is === "unread") {
      const delay = nextDelay(seen.waitMs, rules.retryIntervalMs, this.#leftMs());
      if (delay === null) break;
      waited(this.#attempts, delay);
      await clock.sleep(delay, exchange.stop);
      seen = await this.#see(Math.max(0, this.#leftMs()), false);
    }
    return seen;
  }

  #see(forMs: number, wantsVersion: boolean): Promise<Seen> {
    const { clock, exchange, note, rules } = this.#tools;
    const asked = { target: this.#target, wanted: this.#wanted, note, intent: rules };
    const rule = { forMs, intervalMs: rules.retryIntervalMs, wantsVersion };
    return preflight({ ...asked, ...rule, exchange, clock, attempts: this.#attempts });
  }

  async #obey(next: NextWrite, row: PinRow | null, mayUpgrade: boolean): Promise<Leg> {
    const { note, rules } = this.#tools;
    const facts = this.#facts(row);
    if (next.does === "refuse") return this.#notWritten(facts, next.failure);
    if (next.does === "yield") return this.#superseded(next.row);
    if (rules.dryRun === true) return plannedLeg(facts);
    return this.#conclude(await this.#write(row, next.condition, note), row, next.condition, mayUpgrade);
  }

  #write(before: PinRow | null, condition: Condition | null, note: PinNote): Promise<Written> {
    const { clock, exchange, rules, run } = this.#tools;
    const key = idempotencyKey(run, this.#target.env, this.#wanted, before);
    return sendWrite(
      this.#target,
      { wanted: this.#wanted, note, condition, idempotencyKey: key },
      { ...rules, end: this.#started + rules.timeoutMs + this.#conflictMs },
      () => this.#lookAfter(before, condition !== null),
      { clock, exchange, attempts: this.#attempts },
    );
  }

  /** What a write whose outcome is open left there; where that decides, read for as long as the leg may take. */
  async #lookAfter(before: PinRow | null, isConditional: boolean): Promise<Look> {
    const { readBack: wanted, retryIntervalMs: intervalMs, touch } = this.#tools.rules;
    const forMs = isConditional ? 0 : Math.max(0, this.#leftMs());
    const rule = { until: "readable", stable: 1, forMs, limitMs: forMs, intervalMs } as const;
    const look = judgeLook(await this.#read(rule), before, isConditional);
    // One look is not the row of equal reads that --stable asks for, and with --touch it was equal before.
    const decides = wanted.stable === 1 && touch !== true;
    return typeof look === "string" || decides ? look : "undecided";
  }

  async #conclude(
    written: Written,
    before: PinRow | null,
    condition: Condition | null,
    mayUpgrade: boolean,
  ): Promise<Leg> {
    this.#conflictMs += written.conflictMs;
    this.#isOpen ||= written.kind === "open" || ("open" in written && written.open);
    const facts = this.#facts(before, condition === null ? "open" : "closed");
    switch (written.kind) {
      case "not_written":
        return this.#notWritten(this.#facts(before), written.failure);
      case "found":
        return provenLeg(facts, "landed_after_lost_response", written.proof.proof);
      case "overtaken":
        return this.#overtaken(written, facts);
      case "condition_wanted": {
        const seen = mayUpgrade ? await this.#see(0, true) : null;
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
    const after = await this.#readAfter();
    if (after.ok) return provenLeg(facts, isOpen ? "landed_after_lost_response" : "landed", after.proof);
    return unproven(facts, after, isOpen);
  }

  /** The row was no longer the one that was read: what is there now decides, and nothing is written over it. */
  async #overtaken(written: Extract<Written, { open: boolean }>, facts: LegFacts): Promise<Leg> {
    const seen = await this.#see(0, false);
    if (seen.is === "there") return this.#alreadyThere(seen.proof, this.#found(), facts);
    if (seen.is !== "read") return this.#notWritten(facts, this.#isOpen ? seen.failure : written.failure);
    if (seen.next.does === "yield") return this.#superseded(seen.next.row);
    if (seen.row !== null && satisfies(seen.row.digest, this.#wanted)) {
      const after = await this.#readAfter();
      return after.ok ? provenLeg(facts, "already", after.proof) : unproven(facts, after, written.open);
    }
    const now = seen.row === null ? "has no pin now" : `is pinned to ${seen.row.digest} now`;
    const { code, message, serverText } = written.failure;
    const what = `${message}: ${this.#wanted.template} ${now}; wanted ${this.#wanted.digest}`;
    const hint = "look who changed it, and promote again if yours should win";
    return failedLeg(facts, "failed", new Failure(code, what, { hint, serverText }));
  }

  async #alreadyThere(
    found: Extract<ReadBack, { ok: true }>,
    outcome: "already" | "landed_after_lost_response",
    facts: LegFacts,
  ): Promise<Leg> {
    const proof = this.#tools.rules.readBack.stable > 1 ? await this.#readAfter() : found;
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
    const seq = note.seq ?? 0;
    const message = `${this.#wanted.template} is pinned by build ${row.seq}, newer than this one (${seq})`;
    const failure =
      rules.superseded === "fail"
        ? new Failure("superseded", message, {
            hint: "to go back on purpose: --allow-rollback --reason TEXT",
          })
        : null;
    return supersededLeg(this.#facts(row), seq, row, failure);
  }

  /** A token that may promote and not read can still write, when the caller wants no proof. */
  async #unreadable(seen: Extract<Seen, { failure: Failure }>): Promise<Leg> {
    const { note, rules } = this.#tools;
    // What has to be compared with the row cannot be asked of a write without one.
    const compares = note.seq !== undefined || rules.expectPrevious !== undefined;
    const isBlind = seen.failure.exitCode === EXIT.auth && rules.unverified === true && !compares;
    if (!isBlind) return this.#failed(seen.failure);
    return this.#conclude(await this.#write(null, null, note), null, null, false);
  }

  #failed(failure: Failure): Leg {
    const row = this.#seen?.is === "failed" ? this.#seen.row : null;
    return failedLeg(this.#facts(row), outcomeOfRead(failure), failure);
  }

  #read(rule: ReadBackRule): Promise<ReadBack> {
    const { clock, exchange } = this.#tools;
    return readBack(this.#target, this.#wanted, rule, exchange, clock, this.#attempts);
  }

  /** The read-back, within the ceiling; what was sent gets the time of one attempt whatever is left. */
  #readAfter(): Promise<ReadBack> {
    const { exchange, rules } = this.#tools;
    return this.#read({ ...rules.readBack, limitMs: Math.max(this.#leftMs(), exchange.attemptTimeoutMs) });
  }

  #leftMs(): number {
    return this.#started + this.#tools.rules.timeoutMs + this.#conflictMs - this.#tools.clock.now();
  }

  #facts(before: PinRow | null, raceWindow: RaceWindow | null = null): LegFacts {
    return { target: this.#target, wanted: this.#wanted, before, attempts: this.#attempts, raceWindow };
  }
}
