import { existsSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { acquireLock, type Lock } from "../../host/locks.ts";
import type { Assignment, RefusedEntry } from "../assigned/assignment.ts";
import { ownDirectory, prepareRoot, sweep } from "../on-host/directories.ts";
import type { Layout } from "../on-host/layout.ts";
import type { AddonResult } from "./outcome.ts";
import type { Run } from "./run.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import { keepGoing, stageOne } from "./stage-one.ts";

/** Add-ons at a time: a slow store must not hold up the others, nor they the host. */
const WORKERS = 4;

/**
 * Takes the root for this run alone: makes it when it is missing, checks who could write it, locks it, and removes
 * what a killed run left. Throws Failure: `root_insecure`, `unsafe_path`, `lock_held`.
 */
export async function openRoot(layout: Layout, budgetMs: number, stop: AbortSignal): Promise<Lock> {
  prepareRoot(layout.root);
  const lock = await acquireLock({ path: layout.lock, what: `the root ${layout.root}`, budgetMs, stop });
  try {
    ownDirectory(layout.addons);
    ownDirectory(layout.tmp);
    sweep(layout.root, "temporary_files");
    sweep(layout.tmp, "downloads");
    return lock;
  } catch (error) {
    lock.release();
    throw storageFailure(error, layout.root);
  }
}

/** The same for a root that has to be there already: `not_found` otherwise, and nothing is made. */
export async function openExistingRoot(layout: Layout, budgetMs: number, stop: AbortSignal): Promise<Lock> {
  requireRoot(layout);
  return openRoot(layout, budgetMs, stop);
}

/** Throws Failure `not_found` for a root without add-ons. */
export function requireRoot(layout: Layout): void {
  if (existsSync(layout.addons)) return;
  throw new Failure("not_found", `nothing was ever staged under ${quoted(layout.root)}`, {
    hint: "name the root with --root, or stage something with: waybill addon-stage",
  });
}

/**
 * Brings the host to every assignment, each for itself: the failure of one never stops another. Results come in the
 * order of the list, refused entries last. Throws only the interruption, when nothing runs any more.
 */
export async function stageAll(
  assignments: readonly Assignment[],
  refused: readonly RefusedEntry[],
  run: Run,
): Promise<AddonResult[]> {
  const tasks = [
    ...assignments.map((assignment) => ({ assignment, act: () => stageOne(assignment, run) })),
    ...refused.map(({ addon_id: id, version, failure }) => ({
      assignment: null,
      act: () => keepGoing(id, version, failure, run),
    })),
  ];
  const results: AddonResult[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < tasks.length; index = next++) {
      const task = tasks[index];
      if (task === undefined) return;
      const result = await task.act();
      results[index] = result;
      run.settled?.(result, task.assignment);
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: WORKERS }, work));
  for (const worker of workers) {
    if (worker.status === "rejected") throw worker.reason;
  }
  return results;
}
