import { EXIT, exitCodeOf, type ExitCode } from "../../base/exit-codes.ts";
import type { Sha256 } from "../../base/digest.ts";
import type { Failure } from "../../base/failure.ts";

export type Outcome =
  | "staged"
  | "unchanged"
  | "kept_last_known_good"
  | "skipped"
  | "disabled"
  | "acknowledged"
  | "unsupported";

/** What was done: one word for each way to one of the outcomes. */
export type Action =
  | "stage"
  | "replace"
  | "repair"
  | "activate"
  | "reconfigure"
  | "use_host_binary"
  | "keep"
  | "hold"
  | "restore"
  | "withdraw"
  | "none";

/** How one add-on ended. `version`, `binaryPath`, `sha256` and `keyid` are of what is in place now. */
export type AddonResult = {
  readonly addonId: string;
  readonly version: string;
  readonly wantedVersion: string;
  readonly outcome: Outcome;
  readonly action: Action;
  /** The real path, never through `current`: that one may move between two looks. */
  readonly binaryPath: string | null;
  readonly sha256: Sha256 | null;
  readonly keyid: string | null;
  /** The distinct trusted keys that signed the bytes or the statement about them; `keyid` is one of them. */
  readonly keyids: readonly string[];
  /** null for success. */
  readonly failure: Failure | null;
};

/**
 * How the whole run ends: 0 when nothing failed, the class of the failures when nothing else is left, 3 when some
 * add-ons are well or an earlier version goes on. A disabled add-on counts for neither side.
 */
export function exitOf(results: readonly AddonResult[]): ExitCode {
  const failures = results.flatMap(({ failure }) => (failure === null ? [] : [exitCodeOf(failure.code)]));
  const first = failures[0];
  if (first === undefined) return EXIT.ok;
  const mattered = results.filter(({ outcome }) => outcome !== "disabled");
  const kept = mattered.some(({ outcome }) => outcome === "kept_last_known_good");
  const alike = failures.every((code) => code === first);
  return !kept && alike && failures.length === mattered.length ? first : EXIT.partial;
}
