import type { Spec, Specs } from "../on-host/spec.ts";
import type { Sha256 } from "../../base/digest.ts";
import {
  clears,
  failedProbe,
  whoseFault,
  type Failing,
  type Left,
  type Seen,
  type Whose,
} from "./whose-fault.ts";

/** A version that is active and not yet known good. */
export type Trial = {
  readonly sha256: Sha256;
  /** Starts, each counted before it is made: a host that falls over each time has them counted as well. */
  readonly starts: number;
  /** Runs of a job that failed. */
  readonly failures: number;
  /** The last known good as it was seen up to the change: what it could not do, the new one need not. */
  readonly before: Seen | null;
  /** How it failed the last time. */
  readonly failing: Failing;
};

/** One automatic step back. */
export type Pair = { readonly from: Sha256; readonly to: Sha256 };

/** What the health gate of one add-on remembers. */
export type Gate = {
  readonly trial: Trial | null;
  readonly pairs: readonly Pair[];
  /** The version that ran last. */
  readonly seen: Seen | null;
  /** The last one that was left because of its probe. */
  readonly left: Left | null;
};

export const NO_GATE: Gate = { trial: null, pairs: [], seen: null, left: null };

const ENDED: Failing = { fault: "ended", probe: null };
const MAX_PAIRS = 32;
const MOST_STARTS = 10;
/** One alone may be the network's. */
export const MOST_FAILURES = 3;

/** Whether the active version is one that a step back could replace. */
export function isOnTrial({ active, last_known_good: good }: Specs): boolean {
  return active !== null && good !== null && active.artifact_sha256 !== good.artifact_sha256;
}

/** The gate once these specs are in place. The trial of another version is over. */
export function withTrial(gate: Gate, specs: Specs): Gate {
  const { active, last_known_good: good } = specs;
  if (active === null || !isOnTrial(specs)) return gate.trial === null ? gate : { ...gate, trial: null };
  if (gate.trial?.sha256 === active.artifact_sha256) return gate;
  // Between two versions on trial nothing new was seen of what either would go back to.
  const before =
    [gate.seen, gate.trial?.before].find((seen) => seen?.sha256 === good?.artifact_sha256) ?? null;
  return {
    ...gate,
    trial: { sha256: active.artifact_sha256, starts: 0, failures: 0, before, failing: ENDED },
  };
}

/** The gate once this was seen of what runs. */
export function withSeen(gate: Gate, seen: Seen): Gate {
  const { left } = gate;
  if (left === null) return { ...gate, seen };
  // Once what came back was well, whatever it fails later says nothing about the one that was left.
  if (seen.sha256 === left.to && seen.answer === "well") return { ...gate, seen, left: null };
  return { ...gate, seen, left: clears(left, seen) ? { ...left, cleared: true } : left };
}

/** Whether what runs fails a probe that the other version failed as well. */
export function isTroubleOfTheHost({ active }: Specs, { seen, trial, left }: Gate): boolean {
  if (seen === null || seen.sha256 !== active?.artifact_sha256) return false;
  if (trial?.sha256 === seen.sha256) return whoseFault(seen, trial.before) === "same_probe";
  return left !== null && left.cleared && left.to === seen.sha256 && left.probe === failedProbe(seen);
}

export function countStart(gate: Gate): Gate {
  return gate.trial === null ? gate : { ...gate, trial: { ...gate.trial, starts: gate.trial.starts + 1 } };
}

export function countFailure(gate: Gate, weight = 1, failing?: Failing): Gate {
  const { trial } = gate;
  if (trial === null) return gate;
  const failures = trial.failures + weight;
  return { ...gate, trial: { ...trial, failures, failing: failing ?? trial.failing } };
}

/** Three ends by itself, or one verdict that took several probes; or too many starts, whatever it was that ended it. */
export function failsItsTrial({ trial }: Gate): boolean {
  return trial !== null && (trial.failures >= MOST_FAILURES || trial.starts > MOST_STARTS);
}

/** The specs once the active version was well for its whole window. */
export function commitTrial(specs: Specs): Specs {
  return specs.active === null ? specs : { ...specs, last_known_good: specs.active };
}

export type StepBack =
  | { readonly kind: "back"; readonly to: Spec; readonly gate: Gate }
  | { readonly kind: "stay"; readonly why: StayReason };

export type StayReason =
  | "nothing_active"
  | "is_known_good"
  | "pinned"
  /** It was taken again after it had been left once; a second time it is for people to decide. */
  | "went_back_before"
  | Exclude<Whose, "version">;

/** What is done when the active version fails by its own fault. */
export function stepBack(specs: Specs, gate: Gate): StepBack {
  const { active, last_known_good: good, pinned } = specs;
  if (active === null) return stay("nothing_active");
  const { trial } = withTrial(gate, specs);
  if (good === null || trial === null) return stay("is_known_good");
  if (pinned?.artifact_sha256 === active.artifact_sha256) return stay("pinned");
  const pair = { from: active.artifact_sha256, to: good.artifact_sha256 };
  const whose = whoseFault(trial.failing, trial.before);
  if (whose !== "version") return stay(whose);
  if (gate.pairs.some(({ from, to }) => from === pair.from && to === pair.to))
    return stay("went_back_before");
  const probe = failedProbe(trial.failing);
  const left = probe === null ? null : { sha256: pair.from, to: pair.to, probe, cleared: false };
  const pairs = [pair, ...gate.pairs].slice(0, MAX_PAIRS);
  return { kind: "back", to: good, gate: { ...gate, trial: null, pairs, left } };
}

function stay(why: StayReason): StepBack {
  return { kind: "stay", why };
}
