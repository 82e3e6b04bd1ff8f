import type { Assignment, RefusedEntry } from "../assigned/assignment.ts";
import type { AddonResult } from "./outcome.ts";
import type { Run } from "./run.ts";
import { keepGoing } from "./keep-going.ts";
import { stageOne } from "./stage-one.ts";

/** Add-ons at a time: a slow store must not hold up the others, nor they the host. */
const WORKERS = 4;

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
      const result = await run.turn.within(task.act);
      results[index] = result;
      run.settled?.(result, task.assignment);
    }
  };
  // Each of them has the lock while it changes something, and not while it waits for a store.
  const working = Promise.allSettled(Array.from({ length: WORKERS }, work));
  const workers = await run.turn.away(() => working);
  for (const worker of workers) {
    if (worker.status === "rejected") throw worker.reason;
  }
  return results;
}
