import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import type { Failure } from "../base/failure.ts";
import type { PinRow, WantedPin } from "./pin.ts";
import type { Target } from "./target.ts";

export type LegOutcome =
  /** The row was written by this run and read back. */
  | "landed"
  /** The row held the digest before anything was sent. */
  | "already"
  /** The answer to the write was lost, and the read-back shows that it had been taken. */
  | "landed_after_lost_response"
  | "matches"
  | "mismatch"
  | "missing"
  | "moved_after_write"
  | "written_unverified"
  | "outcome_unknown"
  | "failed";

/** One request of a leg, in order. */
export type Attempt = {
  readonly method: "GET" | "POST";
  readonly status: number | null;
  readonly result: string;
  readonly ms: number;
};

/** A read-back that held the wanted digest; the only thing a successful leg can be made of. */
export type Proof = { readonly row: PinRow; readonly reads: number };

/** What became of one pin in one environment. */
export type Leg = {
  readonly target: Target;
  readonly wanted: WantedPin;
  readonly outcome: LegOutcome;
  readonly before: PinRow | null;
  readonly after: Proof | null;
  readonly attempts: readonly Attempt[];
  readonly failure: Failure | null;
};

type LegFacts = Pick<Leg, "target" | "wanted" | "before" | "attempts">;

/** A leg succeeds only by a proof: rows read back whose digest is the wanted one. */
export function provenLeg(
  facts: LegFacts,
  outcome: "landed" | "already" | "landed_after_lost_response" | "matches",
  after: Proof,
): Leg {
  if (after.row.digest !== facts.wanted.digest || after.reads < 1)
    throw new RangeError("a proof of another digest");
  return { ...facts, outcome, after, failure: null };
}

export function failedLeg(
  facts: LegFacts,
  outcome: Exclude<LegOutcome, "landed" | "already" | "landed_after_lost_response" | "matches">,
  failure: Failure,
): Leg {
  return { ...facts, outcome, after: null, failure };
}

/** What a read that proved nothing comes to: it differs, there is nothing, or nothing could be read. */
export function outcomeOfRead(failure: Failure): "mismatch" | "missing" | "failed" {
  if (failure.exitCode === EXIT.mismatch) return "mismatch";
  return failure.code === "row_missing" ? "missing" : "failed";
}

/** When no leg succeeded and they failed in different ways, the most important one speaks. */
const WEIGHT: readonly ExitCode[] = [
  EXIT.unknown,
  // A run that was cut short says so before it says what else went wrong.
  EXIT.interrupted,
  EXIT.terminated,
  EXIT.untrusted,
  EXIT.mismatch,
  EXIT.policy,
  EXIT.auth,
  EXIT.rejected,
  EXIT.protocol,
  EXIT.conflict,
  EXIT.server,
  EXIT.transport,
  EXIT.missing,
];

/** The exit code of a run: 0 only when there is at least one leg and every leg is proven. */
export function exitOfLegs(legs: readonly Leg[]): ExitCode {
  const codes = legs.map((leg) => (leg.failure === null ? EXIT.ok : leg.failure.exitCode));
  const failed: ExitCode[] = codes.filter((code) => code !== EXIT.ok);
  if (codes.length === 0) return EXIT.missing;
  if (failed.length === 0) return EXIT.ok;
  if (failed.length < codes.length) return EXIT.partial;
  return WEIGHT.find((code) => failed.includes(code)) ?? failed[0] ?? EXIT.internal;
}
