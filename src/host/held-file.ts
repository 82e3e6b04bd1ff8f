import { closeSync, constants, fstatSync, openSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { PendingFile } from "./files.ts";
import { lockingWorks, lockOpened } from "./locks.ts";
import { isPendingName } from "./pending-name.ts";
import { remoteDisk } from "./remote-disk.ts";

/** A file that is being written, and the lock by which other runs see that its writer lives. */
export type HeldFile = { readonly file: PendingFile; readonly release: () => void };

/** Whoever looks for leftovers may hold a new file for a moment; where locks are not to be had, nobody does. */
const TRIES = 3;

/** A `PendingFile` that `removeLeftovers` leaves alone until it is released, or this process ends in any way. */
export function newHeldFile(path: string, mode: number): HeldFile {
  for (let left = TRIES; ; left--) {
    const file = new PendingFile(path, mode);
    const held = lockingWorks() ? openLocked(file.temporary) : null;
    if (held !== null) return { file, release: () => closeSync(held) };
    if (left === 1) return { file, release: () => {} };
    file.discard();
  }
}

/**
 * Removes what killed writers of `path` left beside it, and names it. Only what has such a name, is a file of this
 * user under that name alone, and is locked by nobody; nothing where a lock may hold on one machine alone.
 */
export function removeLeftovers(path: string): string[] {
  const folder = dirname(path);
  if (!lockingWorks() || remoteDisk(folder) !== null) return [];
  const removed: string[] = [];
  for (const name of namesIn(folder)) {
    const leftover = join(folder, name);
    if (isPendingName(path, name) && removeUnheld(leftover)) removed.push(leftover);
  }
  return removed;
}

function removeUnheld(path: string): boolean {
  const descriptor = openLocked(path);
  if (descriptor === null) return false;
  try {
    const { nlink, uid } = fstatSync(descriptor);
    if (nlink !== 1 || uid !== process.geteuid?.()) return false;
    rmSync(path);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}

/** Null for what is no file, cannot be opened, or is locked by somebody else. */
function openLocked(path: string): number | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  if (fstatSync(descriptor).isFile() && lockOpened(descriptor, path)) return descriptor;
  closeSync(descriptor);
  return null;
}

/** None where nobody may look: whoever writes there then says why. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
