import { existsSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { LockTurn } from "../../host/lock-turn.ts";
import { acquireLock, type Lock, type LockRequest } from "../../host/locks.ts";
import { ownDirectory, prepareRoot, sweep } from "./directories.ts";
import type { Layout } from "./layout.ts";
import { storageFailure } from "./storage-failure.ts";

/**
 * Takes the root to change something in it: makes it when it is missing, checks who could write it, locks it, and
 * removes what a killed run left. Throws Failure: `root_insecure`, `unsafe_path`, `lock_held`.
 */
export async function openRoot(layout: Layout, budgetMs: number, stop: AbortSignal): Promise<Lock> {
  prepareRoot(layout.root);
  const lock = await acquireLock(requestOf(layout, budgetMs, stop));
  return prepared(layout, lock, () => sweepUnlessStaging(layout, stop));
}

/** Downloads that nobody stages any more. One run at a time stages, and what it has under way is not ours. */
async function sweepUnlessStaging(layout: Layout, stop: AbortSignal): Promise<void> {
  let staging: Lock;
  try {
    staging = await acquireLock({ ...requestOf(layout, 0, stop), path: layout.stagingLock });
  } catch (error) {
    if (error instanceof Failure && error.code === "lock_held") return;
    throw error;
  }
  try {
    sweep(layout.tmp, "downloads");
  } finally {
    staging.release();
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
 * A root that one run stages into; `turn` is the lock that it shares with whoever changes something else. `waited`:
 * another run staged before, perhaps of a newer list.
 */
export type StagingRoot = Lock & { readonly turn: LockTurn; readonly waited: boolean };

/**
 * Takes the root to stage into it. One run at a time stages, to its end; what it changes is locked only while it
 * changes it, so that nobody waits for its downloads. Throws Failure as `openRoot` does.
 */
export async function openForStaging(
  layout: Layout,
  budgetMs: number,
  stop: AbortSignal,
): Promise<StagingRoot> {
  prepareRoot(layout.root);
  const alone = await acquireLock({ ...requestOf(layout, budgetMs, stop), path: layout.stagingLock });
  const turn = await LockTurn.take(requestOf(layout, budgetMs, stop)).catch((error: unknown) => {
    alone.release();
    throw error;
  });
  const release = (): void => {
    turn.leave();
    alone.release();
  };
  const { waited } = alone;
  return prepared(layout, { turn, release, waited }, () => sweep(layout.tmp, "downloads"));
}

function requestOf(layout: Layout, budgetMs: number, stop: AbortSignal): LockRequest {
  return { path: layout.lock, what: `the root ${quoted(layout.root)}`, budgetMs, stop };
}

async function prepared<T extends Lock>(
  layout: Layout,
  lock: T,
  more: () => Promise<void> | void,
): Promise<T> {
  try {
    ownDirectory(layout.addons);
    ownDirectory(layout.tmp);
    sweep(layout.root, "temporary_files");
    await more();
    return lock;
  } catch (error) {
    lock.release();
    throw storageFailure(error, layout.root);
  }
}
