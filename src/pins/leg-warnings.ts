import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { failedLeg, type Leg, type LegWarning } from "./leg.ts";
import { isSameCommit, type PinRow } from "./pin.ts";

/** How many regions with a pin of their own are warned of by name: a listing may have thousands. */
const SHOWN_REGIONS = 20;

export type CommitRule = {
  /** The commit that the caller named; undefined for none. */
  readonly gitSha: string | undefined;
  /** Whether a row of another commit, or of none, is a failure. */
  readonly mustMatch: boolean;
};

/** Each leg of a run, see `judgeLeg`. */
export function judgeLegs(legs: readonly Leg[], rule: CommitRule): Leg[] {
  const judged: Leg[] = [];
  for (const leg of legs) judged.push(judgeLeg(leg, rule));
  return judged;
}

/** The leg with everything that its row says beside the digest: warnings, or a failure where the rule wants one. */
export function judgeLeg(leg: Leg, rule: CommitRule): Leg {
  const row = leg.after?.row ?? null;
  const commit = row === null ? null : otherCommit(row, rule.gitSha);
  const warnings = [...warningsOf(row ?? leg.before), ...gaveWay(leg)];
  if (commit === null) return { ...leg, warnings };
  if (rule.mustMatch) {
    const failure = new Failure("git_sha_differs", commit, {
      hint: "the image is the wanted one, and the row says that it was built from something else",
    });
    return { ...failedLeg(leg, "mismatch", failure), before: row, warnings };
  }
  return { ...leg, warnings: [...warnings, { code: "git_sha_differs", message: commit }] };
}

function otherCommit(row: PinRow, wanted: string | undefined): string | null {
  if (wanted === undefined || (row.gitSha !== null && isSameCommit(row.gitSha, wanted))) return null;
  const found = row.gitSha === null ? "names no commit" : `was built from ${printable(row.gitSha, 64)}`;
  return `the row of ${row.template} ${found}; wanted ${wanted}`;
}

function warningsOf(row: PinRow | null): LegWarning[] {
  if (row === null) return [];
  const warnings: LegWarning[] = [];
  if (row.state !== null && row.state !== "active")
    warnings.push({
      code: "row_state",
      message: `the row of ${row.template} is in state "${printable(row.state, 100)}"`,
    });
  for (const { region, digest } of row.shadows.slice(0, SHOWN_REGIONS))
    warnings.push({
      code: "region_shadow",
      message: `${row.template} has a pin of its own in ${region}, at ${digest}: the global one does not hold there`,
    });
  const more = row.shadows.length - SHOWN_REGIONS;
  if (more > 0)
    warnings.push({
      code: "region_shadow",
      message: `${row.template} has pins of its own in ${more} more regions`,
    });
  return warnings;
}

function gaveWay({ outcome, failure, wanted, before }: Leg): LegWarning[] {
  if (outcome !== "superseded" || failure !== null) return [];
  const message = `${wanted.template} is pinned by a newer build (${before?.seq}); this one wrote nothing`;
  return [{ code: "superseded", message }];
}
