import { EXIT, type ExitCode } from "../base/exit-codes.ts";
import type { Failure } from "../base/failure.ts";
import { satisfies, type PinRow, type WantedPin } from "./pin.ts";
import type { Target } from "./target.ts";

export type LegOutcome =
  /** The row was written by this run and read back. */
  | "landed"
  /** The row held the digest before anything was sent. */
  | "already"
  /** The answer to the write was lost, and the read-back shows that it had been taken. */
  | "landed_after_lost_response"
  /** A newer build is pinned, so this one wrote nothing. */
  | "superseded"
  /** A dry run: a promotion would write. */
  | "would_change"
  | "matches"
  /** Pinned, and not to the digest that it must not be. */
  | "differs"
  | "mismatch"
  | "missing"
  | "moved_after_write"
  /** The server took the write, and no read proved it. */
  | "written_unverified"
  /** Whether the server took the write is open. */
  | "outcome_unknown"
  /** Nothing was written, because another leg of the run was refused by a policy. */
  | "held_back"
  /** Pinned and proven, without the signed receipt that was wanted. */
  | "unreceipted"
  | "failed";

/** One request of a leg, in order. */
export type Attempt = {
  readonly method: "GET" | "POST" | "PUT";
  readonly status: number | null;
  readonly result: string;
  readonly ms: number;
  /** How long the leg waited after it before it sent the next one. */
  readonly retryInMs?: number;
};

/** Whether somebody else could write between our read and our write: not when the write named what it replaces. */
export type RaceWindow = "open" | "closed";

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
  /** null when nothing was written. */
  readonly raceWindow: RaceWindow | null;
  /** What the reader should know although it decided nothing. */
  readonly warnings: readonly LegWarning[];
  /** Absent when nobody asked for one. */
  readonly receipt?: LegReceipt;
};

/** The receipt of the pin as it is: signed by this run, signed by an earlier one, or found and verified. */
export type LegReceipt = {
  readonly version: number;
  readonly keyid: string;
  readonly state: "stored" | "kept" | "verified";
};

export type LegWarning = { readonly code: string; readonly message: string };

export type LegFacts = Pick<Leg, "target" | "wanted" | "before" | "attempts"> & {
  readonly raceWindow?: RaceWindow | null;
};

type Proven = "landed" | "already" | "landed_after_lost_response" | "matches" | "differs";

/** A leg succeeds only by a proof: rows read back that are what was wanted. */
export function provenLeg(facts: LegFacts, outcome: Proven, after: Proof): Leg {
  if (!satisfies(after.row.digest, facts.wanted) || after.reads < 1)
    throw new RangeError("a proof of another digest");
  return { raceWindow: null, warnings: [], ...facts, outcome, after, failure: null };
}

/** A leg that gave way: `row`, as it was read, is of a newer build than `seq`. */
export function supersededLeg(facts: LegFacts, seq: number, row: PinRow, failure: Failure | null): Leg {
  if (row.seq === null || row.seq <= seq) throw new RangeError("not superseded by an older build");
  return {
    raceWindow: null,
    warnings: [],
    ...facts,
    before: row,
    outcome: "superseded",
    after: null,
    failure,
  };
}

/** A dry run that found something to write. */
export function plannedLeg(facts: LegFacts): Leg {
  return { raceWindow: null, warnings: [], ...facts, outcome: "would_change", after: null, failure: null };
}

export function failedLeg(
  facts: LegFacts,
  outcome: Exclude<LegOutcome, Proven | "superseded" | "would_change">,
  failure: Failure,
): Leg {
  return { raceWindow: null, warnings: [], ...facts, outcome, after: null, failure };
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

export function exitOfLeg(leg: Leg): ExitCode {
  if (leg.failure !== null) return leg.failure.exitCode;
  return leg.outcome === "would_change" ? EXIT.changes : EXIT.ok;
}

/**
 * The exit code of a run: 0 only when there is at least one
 * leg and every leg is proven, or gave way to a newer build.
 */
export function exitOfLegs(legs: readonly Leg[]): ExitCode {
  const codes: ExitCode[] = [];
  for (const leg of legs) codes.push(exitOfLeg(leg));
  return exitOfCodes(codes);
}

/** The exit code of several things that were done side by side, of the code of each. */
export function exitOfCodes(codes: readonly ExitCode[]): ExitCode {
  const failed: ExitCode[] = [];
  for (const code of codes) if (code !== EXIT.ok && code !== EXIT.changes) failed.push(code);
  if (codes.length === 0) return EXIT.missing;
  if (failed.length === 0) return codes.includes(EXIT.changes) ? EXIT.changes : EXIT.ok;
  if (failed.length < codes.length) return EXIT.partial;
  return WEIGHT.find((code) => failed.includes(code)) ?? failed[0] ?? EXIT.internal;
}
