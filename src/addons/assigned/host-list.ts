import { Failure } from "../../base/failure.ts";
import type { Assignment, AssignmentList, RefusedEntry } from "./assignment.ts";
import { readAssignments, type AssignmentsSource } from "./assignments-source.ts";
import type { Layout } from "../on-host/layout.ts";
import { applyOverrides, type Override } from "./override.ts";
import { readOverrideFile } from "./override-file.ts";
import { readRemembered } from "./remembered-list.ts";
import type { Platform } from "./platform.ts";
import type { Warning } from "../warning.ts";

/** What is assigned to a host, before and after what the host itself says. */
export type HostList = {
  readonly pushed: readonly Assignment[];
  readonly overrides: readonly Override[];
  readonly assignments: readonly Assignment[];
  readonly refused: readonly RefusedEntry[];
  readonly warnings: readonly Warning[];
};

/** The pushed list with the override file over it. */
export function mergeOverrides(list: AssignmentList, overrideFile: string | null): HostList {
  const local = overrideFile === null ? { overrides: [], warnings: [] } : readOverrideFile(overrideFile);
  const refusedIds = new Set(list.refused.map((entry) => entry.addon_id));
  const merged = applyOverrides(list.assignments, local.overrides, refusedIds);
  return {
    pushed: list.assignments,
    overrides: local.overrides,
    assignments: merged.assignments,
    refused: list.refused,
    warnings: [...list.warnings, ...local.warnings, ...merged.warnings],
  };
}

/**
 * What is assigned, for a command that only looks: from `source`, or without one from the list that was fetched
 * last: null when there is none, Failure when that one cannot be read. Throws Failure.
 */
export async function readHostList(
  source: AssignmentsSource | null,
  overrideFile: string | null,
  layout: Layout,
  platform: Platform,
  stop: AbortSignal,
): Promise<HostList | Failure | null> {
  if (source === null) {
    const cached = readRemembered(layout);
    return cached === null || cached instanceof Failure ? cached : mergeOverrides(cached.list, overrideFile);
  }
  const fetched = await readAssignments(source, platform, layout, stop);
  if (fetched instanceof Failure) throw fetched;
  return mergeOverrides(fetched.list, overrideFile);
}
