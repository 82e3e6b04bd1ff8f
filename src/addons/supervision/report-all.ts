import { askOf } from "../assigned/ask.ts";
import type { Assignment } from "../assigned/assignment.ts";
import type { Platform } from "../assigned/platform.ts";
import { isSafeName, type SafeName } from "../names.ts";
import type { Layout } from "../on-host/layout.ts";
import type { Specs } from "../on-host/spec.ts";
import type { AddonResult } from "../staging/outcome.ts";
import { offeredBy, reportOf, type AddonReport, type Running } from "./status-report.ts";

/** What is known of a host between two rounds. */
export type Known = {
  readonly assigned: readonly Assignment[];
  /** Of the last round. */
  readonly results: readonly AddonResult[];
  /** Whatever runs, assigned or not. */
  readonly running: ReadonlyMap<SafeName, Running>;
  readonly specsOf: (id: SafeName) => Specs;
  readonly isTroubleOfTheHost: (id: SafeName, specs: Specs) => boolean;
};

/** Every add-on that is assigned, was staged in the last round, or runs, by its name. */
export function reportAll(known: Known, platform: Platform, layout: Layout): AddonReport[] {
  const { assigned, results, running, specsOf, isTroubleOfTheHost } = known;
  const assignments = new Map(assigned.map((one) => [one.addon_id, one]));
  const outcomes = new Map(results.map((one) => [one.addonId, one]));
  const ids = new Set<string>([...assignments.keys(), ...outcomes.keys(), ...running.keys()]);
  return [...ids]
    .filter(isSafeName)
    .toSorted()
    .map((id) => {
      const assignment = assignments.get(id);
      const result = outcomes.get(id);
      const specs = specsOf(id);
      return reportOf({
        id,
        specs,
        isTroubleOfTheHost: isTroubleOfTheHost(id, specs),
        outcome: result?.outcome ?? "unknown",
        offered: assignment === undefined ? null : offeredBy(askOf(assignment, platform, layout), assignment),
        run: running.get(id) ?? null,
        error: result?.failure?.message ?? null,
      });
    });
}
