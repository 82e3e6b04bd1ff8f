import type { AssignmentList } from "./assignment.ts";
import { readAssignments, weigh, type AssignmentsSource, type Known } from "./assignments-source.ts";
import { forgetUnassigned } from "./last-known-good.ts";
import { applyOverrides } from "./override.ts";
import { readOverrideFile } from "./override-file.ts";
import type { AddonResult } from "./outcome.ts";
import { openRoot, stageAll } from "./stage-all.ts";
import type { Run } from "./stage-one.ts";
import type { Warning } from "./warning.ts";

export type HostRequest = {
  readonly source: AssignmentsSource;
  /** The override file of this host; null when none was named. */
  readonly overrideFile: string | null;
  /** Whether a host that never fetched a list, and cannot, is a failure. */
  readonly strict: boolean;
  /** Milliseconds to wait for another run on the same root. */
  readonly lockBudgetMs: number;
  readonly run: Omit<Run, "warn">;
};

export type HostReport = {
  readonly assignments: Known["from"];
  readonly results: readonly AddonResult[];
  readonly warnings: readonly Warning[];
};

/** Brings a host to its assigned add-ons, once. Throws Failure when not even that could be tried. */
export async function stageHost(request: HostRequest): Promise<HostReport> {
  const { source, run } = request;
  // Before the lock and before the root is touched: a server may take its time, and a bad file changes nothing.
  const fetched = await readAssignments(source, run.platform, run.stop);
  const lock = await openRoot(run.layout, request.lockBudgetMs, run.stop);
  try {
    const known = weigh(fetched, run.layout, source.kind === "url", request.strict);
    const warnings = [...known.warnings];
    const results =
      known.list === null
        ? []
        : await stageList(known.list, known.from === "source", request, (warning) => {
            warnings.push(warning);
          });
    return { assignments: known.from, results, warnings };
  } finally {
    lock.release();
  }
}

async function stageList(
  list: AssignmentList,
  isNew: boolean,
  request: HostRequest,
  warn: (warning: Warning) => void,
): Promise<AddonResult[]> {
  const local =
    request.overrideFile === null ? { overrides: [], warnings: [] } : readOverrideFile(request.overrideFile);
  const refusedIds = new Set(list.refused.map((entry) => entry.addon_id));
  const merged = applyOverrides(list.assignments, local.overrides, refusedIds);
  for (const warning of [...list.warnings, ...local.warnings, ...merged.warnings]) warn(warning);
  // A remembered list, or a local file that could not be taken, says nothing about what is gone.
  if (isNew && !local.warnings.some(({ code }) => code === "override_ignored")) {
    const assigned = [...merged.assignments.map((assignment) => assignment.addon_id), ...refusedIds];
    for (const warning of forgetUnassigned(request.run.layout, new Set(assigned))) warn(warning);
  }
  return stageAll(merged.assignments, list.refused, { ...request.run, warn });
}
