import { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import type { Clock } from "../host/clock.ts";
import type { Attempt } from "./leg.ts";
import type { Exchange } from "./pin-client.ts";
import { writePin, type PinWrite } from "./pin-writer.ts";
import type { ReadBack } from "./read-back.ts";
import { nextDelay } from "./next-delay.ts";
import type { Target } from "./target.ts";
import type { Look } from "./unproven.ts";

/** The reads between two attempts at one write, each until an instant of the clock at the latest. */
export type Looks = {
  /** What a write left there whose outcome is open. */
  readonly after: (until: number) => Promise<Look>;
  /** Why the write is not to be sent once more; null to send it. Absent where nothing has to be looked at. */
  readonly before: ((until: number) => Promise<Failure | null>) | null;
};

export type WriteBudget = {
  /** Ceiling for everything but conflicts, as an instant of the clock. */
  readonly end: number;
  readonly timeoutMs: number;
  /** How long a 409 that can pass is waited for, in milliseconds. */
  readonly conflictBudgetMs: number;
  readonly retryIntervalMs: number;
};

/** `conflictMs` is what was waited for conflicts; it does not count against the ceiling. */
export type Written = { readonly conflictMs: number } & (
  | { readonly kind: "accepted" }
  /** Seen by the look that follows a lost answer. */
  | { readonly kind: "found"; readonly proof: Extract<ReadBack, { ok: true }> }
  /** It may have arrived, and nothing says so. */
  | { readonly kind: "open" }
  /**
   * Nothing was written by the last attempt, and the pin has to
   * be read again; `open` when an earlier one may have arrived.
   */
  | {
      readonly kind: "overtaken" | "condition_wanted";
      readonly failure: Failure;
      readonly open: boolean;
    }
  | { readonly kind: "not_written"; readonly failure: Failure }
);

type Tools = { readonly exchange: Exchange; readonly clock: Clock; readonly attempts: Attempt[] };

/**
 * Sends until the server takes or refuses it, within the budgets. A write whose outcome is open is followed by a
 * look before anything else, and one without a condition is sent again only after a look at what it would replace:
 * while a rollout is waited out somebody else may promote.
 */
export async function sendWrite(
  target: Target,
  write: PinWrite,
  budget: WriteBudget,
  looks: Looks,
  tools: Tools,
): Promise<Written> {
  const { clock, exchange, attempts } = tools;
  let conflictMs = 0;
  let open = false;
  for (let isRepeat = false; ; isRepeat = true) {
    if (exchange.stop.aborted) {
      if (open) return { kind: "open", conflictMs };
      const failure = interruption(exchange.stop, `promoting ${write.wanted.template}`);
      return { kind: "not_written", failure, conflictMs };
    }
    const began = clock.now();
    const obstacle = isRepeat ? await looks.before?.(budget.end + conflictMs) : null;
    if (obstacle instanceof Failure) {
      if (open) return { kind: "open", conflictMs };
      return obstacle.code === "previous_differs"
        ? { kind: "overtaken", failure: obstacle, open, conflictMs }
        : { kind: "not_written", failure: obstacle, conflictMs };
    }
    const sent = clock.now();
    const answer = await writePin(target, write, exchange);
    const result = answer.kind === "accepted" ? "accepted" : answer.failure.code;
    const method = write.condition === null ? "POST" : "PUT";
    attempts.push({ method, status: answer.status, result, ms: Math.round(clock.now() - sent) });
    if (answer.kind === "accepted") return { kind: "accepted", conflictMs };
    if (answer.kind === "overtaken" || answer.kind === "condition_wanted")
      return { kind: answer.kind, failure: answer.failure, open, conflictMs };
    if (answer.kind === "ambiguous") {
      open = true;
      const seen = await looks.after(budget.end + conflictMs);
      if (seen === "undecided") return { kind: "open", conflictMs };
      if (seen !== "again") return { kind: "found", proof: seen, conflictMs };
    }
    const now = clock.now();
    const isConflict = answer.kind === "conflict";
    // One budget for all conflicts of a write, whatever comes between them.
    const leftMs = isConflict
      ? budget.conflictBudgetMs - conflictMs - (now - began)
      : budget.end + conflictMs - now;
    // Half a second to the left and to the right of five: those who wait for one lock do not come back together.
    const spread = isConflict ? 0.8 + 0.4 * exchange.jitter() : 1;
    const canPass = isConflict || answer.kind === "try_again" || answer.kind === "ambiguous";
    const delay = canPass ? nextDelay(answer.waitMs, budget.retryIntervalMs * spread, leftMs) : null;
    if (delay === null) {
      // A write that was left open earlier may still arrive, whatever the last answer was.
      if (open) return { kind: "open", conflictMs };
      const spent = isConflict ? budget.conflictBudgetMs : budget.timeoutMs;
      const failure = canPass ? beyond(answer.failure, spent) : answer.failure;
      return { kind: "not_written", failure, conflictMs };
    }
    if (isConflict) conflictMs += now - began + delay;
    waited(attempts, delay);
    await clock.sleep(delay, exchange.stop);
  }
}

/** Notes on the last attempt how long the next one was waited for. */
export function waited(attempts: Attempt[], ms: number): void {
  const last = attempts.pop();
  if (last !== undefined) attempts.push({ ...last, retryInMs: Math.round(ms) });
}

function beyond(failure: Failure, budgetMs: number): Failure {
  return new Failure(failure.code, `${failure.message}, and still after ${budgetMs / 1000} s`, failure);
}
