import type { Sha256 } from "../../base/digest.ts";
import { sha256Of } from "../../base/hashing.ts";
import type { Answer, Fault, Sidecar } from "./sidecar.ts";

/** What was found out about one version while it ran. */
export type Seen = {
  readonly sha256: Sha256;
  /** Digest of what its probe asks; null when no probe is part of what was found. */
  readonly probe: Sha256 | null;
  /** The last answer since it was ready; null before. */
  readonly answer: Exclude<Answer, "unknown"> | null;
  /** What was wrong with it within the last minute of health. */
  readonly fault: Fault | null;
};

/** How a version on trial failed. */
export type Failing = Pick<Seen, "fault" | "probe">;

export type Whose =
  | "version"
  /** What ran before was not well either when it was replaced: nobody knows what the new one could have done. */
  | "unwell_before"
  /** What ran before failed the very same probe already: what that asks for is not there, whoever runs. */
  | "same_probe";

/**
 * Whose fault it is that a version on trial fails, by what was seen of the one before it up to the change. A probe
 * that the one before was never asked tells nothing about the host: it is the new version that says so of itself.
 */
export function whoseFault(failing: Failing, before: Seen | null): Whose {
  if (before === null) return "version";
  const probe = failedProbe(failing);
  const isSame = probe !== null && probe === before.probe;
  if (isSame && (failedProbe(before) === probe || before.answer === "ill")) return "same_probe";
  return before.fault === null ? "version" : "unwell_before";
}

/** A version that was left because of its probe, and the one that is back in its place. */
export type Left = {
  readonly sha256: Sha256;
  readonly to: Sha256;
  readonly probe: Sha256;
  /** Whether the one that is back failed the same probe: then it was none of the version's fault. */
  readonly cleared: boolean;
};

/** Whether what is seen of the version that came back takes the blame from the one that was left. */
export function clears(left: Left, seen: Seen): boolean {
  return seen.sha256 === left.to && failedProbe(seen) === left.probe;
}

/** What a program is asked, as a digest; null for one that does not run and therefore was not. */
export function askedOf({ health, answer, fault }: Sidecar): Sha256 | null {
  const isAsked = answer !== null || fault === "never_ready" || fault === "unhealthy";
  return isAsked ? sha256Of(JSON.stringify(health.probe)) : null;
}

/** What a version fails that runs, but is not well; null for one that ends by itself, and for one that is well. */
export function failedProbe({ fault, probe }: Failing): Sha256 | null {
  return fault === "never_ready" || fault === "unhealthy" ? probe : null;
}
