import type { Assignment } from "../assigned/assignment.ts";
import type { Specs } from "../on-host/spec.ts";
import { isSafeName, type SafeName } from "../names.ts";
import type { AddonResult } from "../staging/outcome.ts";
import { reportOf, type AddonReport } from "./status-report.ts";
import type { Supervised } from "./supervised.ts";

/** Every add-on that is assigned, was staged in the last round, or runs, by its name. */
export function reportAll(
  assigned: readonly Assignment[],
  results: readonly AddonResult[],
  supervised: ReadonlyMap<SafeName, Supervised>,
  specsOf: (id: SafeName) => Specs,
): AddonReport[] {
  const offered = new Map(assigned.map((one) => [one.addon_id, one]));
  const outcomes = new Map(results.map((one) => [one.addonId, one]));
  const ids = new Set<string>([...offered.keys(), ...outcomes.keys(), ...supervised.keys()]);
  return [...ids]
    .filter(isSafeName)
    .toSorted()
    .map((id) => {
      const one = supervised.get(id);
      const assignment = offered.get(id);
      const result = outcomes.get(id);
      const { pid = null, starts = 0, lastError = null } = one ?? {};
      return reportOf({
        id,
        specs: specsOf(id),
        outcome: result?.outcome ?? "unknown",
        offered:
          assignment === undefined
            ? null
            : { version: assignment.version, sha256: assignment.artifact_sha256 },
        run:
          one === undefined
            ? null
            : { sidecar: one.sidecar, version: one.plan?.version ?? null, pid, starts, lastError },
        error: result?.failure?.message ?? null,
      });
    });
}
