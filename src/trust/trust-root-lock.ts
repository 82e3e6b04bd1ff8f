import { quoted } from "../base/printable.ts";
import { statusAt } from "../host/files.ts";
import { acquireLock } from "../host/locks.ts";

/** How long another edit is waited for, in milliseconds. */
const BUDGET_MS = 30_000;

/**
 * Edits the file of a trust root or a draft alone, so that of two edits at once the second starts from what the first
 * one wrote. The lock is on the file itself; whoever waited for it sees that it was replaced and takes the new one.
 * A file that is not there is for `edit` to refuse. Throws Failure `lock_held`.
 */
export async function editAlone<T>(path: string, stop: AbortSignal, edit: () => T): Promise<T> {
  // Opening a lock makes the file, and an empty one would be a broken root.
  if (statusAt(path)?.isFile() !== true) return edit();
  const lock = await acquireLock({ path, what: `trust root ${quoted(path)}`, budgetMs: BUDGET_MS, stop });
  try {
    return edit();
  } finally {
    lock.release();
  }
}
