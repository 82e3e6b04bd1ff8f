import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import type { Failure, FailureDocument } from "../base/failure.ts";
import type { Clock } from "../host/clock.ts";
import { exitOfLegs, failedLeg, type Attempt, type Leg } from "./leg.ts";
import type { WantedPin } from "./pin.ts";
import type { Exchange } from "./pin-client.ts";
import { readBack } from "./read-back.ts";
import type { Target } from "./target.ts";

/** What a promotion would do in one environment, found out by reading alone. */
export type PlannedLeg = {
  readonly target: Target;
  readonly wanted: WantedPin;
  readonly outcome: "would_change" | "already" | "failed";
  /** The digest that is there now; null when there is no row, or nobody could read it. */
  readonly before: string | null;
  readonly failure: Failure | null;
};

type Plan = {
  readonly targets: readonly Target[];
  readonly pins: readonly WantedPin[];
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** How long a server that cannot be read is asked again, in milliseconds. */
  readonly timeoutMs: number;
  readonly retryIntervalMs: number;
};

/** Reads each pin once, or until it can be read. Writes nothing. */
export function planPromotion(plan: Plan): Promise<PlannedLeg[]> {
  const { targets, pins } = plan;
  return Promise.all(targets.flatMap((target) => pins.map((wanted) => planLeg(target, wanted, plan))));
}

async function planLeg(target: Target, wanted: WantedPin, plan: Plan): Promise<PlannedLeg> {
  const attempts: Attempt[] = [];
  const rule = {
    until: "readable",
    forMs: plan.timeoutMs,
    limitMs: plan.timeoutMs,
    stable: 1,
    intervalMs: plan.retryIntervalMs,
  } as const;
  const seen = await readBack(target, wanted, rule, plan.exchange, plan.clock, attempts);
  if (seen.ok) return { target, wanted, outcome: "already", before: seen.proof.row.digest, failure: null };
  const before = seen.last?.digest ?? null;
  const { code } = seen.failure;
  if (code === "pin_mismatch" || code === "row_missing")
    return { target, wanted, outcome: "would_change", before, failure: null };
  return { target, wanted, outcome: "failed", before, failure: seen.failure };
}

/** Any leg that could not be read speaks as it would in a promotion; else 20 when something would change. */
export function exitOfPlan(legs: readonly PlannedLeg[]): ExitCode {
  const failed: Leg[] = legs.flatMap(({ target, wanted, failure }) =>
    failure === null ? [] : [failedLeg({ target, wanted, before: null, attempts: [] }, "failed", failure)],
  );
  if (legs.length === 0) return EXIT.missing;
  if (failed.length > 0) return failed.length < legs.length ? EXIT.partial : exitOfLegs(failed);
  return legs.some(({ outcome }) => outcome === "would_change") ? EXIT.changes : EXIT.ok;
}

export type PlanDocument = {
  env: string;
  origin: string;
  template: string;
  region: string;
  outcome: string;
  before: string | null;
  after: string;
  error: FailureDocument | null;
};

export function planDocument({ target, wanted, outcome, before, failure }: PlannedLeg): PlanDocument {
  return {
    env: target.env,
    origin: target.base.origin,
    template: wanted.template,
    region: wanted.region,
    outcome,
    before,
    after: wanted.digest,
    error: failure?.toDocument() ?? null,
  };
}

export function describePlan(legs: readonly PlannedLeg[]): string {
  return legs
    .map(({ target, wanted, outcome, before }) => {
      const what = `${target.env}: ${wanted.template} (${wanted.region})`;
      if (outcome === "failed") return `FAILED  ${what}\n`;
      if (outcome === "already") return `SAME    ${what} is ${wanted.digest}\n`;
      return `CHANGE  ${what} from ${before ?? "no pin"} to ${wanted.digest}\n`;
    })
    .join("");
}
