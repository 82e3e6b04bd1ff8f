import { quoted } from "../base/printable.ts";
import { statusAt } from "../host/files.ts";
import { acquireLock } from "../host/locks.ts";
import { isSameFile } from "./public-output.ts";

/** How long another edit is waited for, in milliseconds. */
const BUDGET_MS = 30_000;

/**
 * Edits a signed file alone, so that of two edits at once the second starts from what the first one wrote. The lock is
 * on the file itself; whoever waited for it sees that it was replaced and takes the new one. A file that is not there
 * is for `edit` to refuse. `what` names it in messages. Throws Failure `lock_held`.
 */
export async function editAlone<T>(path: string, what: string, stop: AbortSignal, edit: () => T): Promise<T> {
  // Opening a lock makes the file, and an empty one would be a broken one.
  if (statusAt(path)?.isFile() !== true) return edit();
  const lock = await acquireLock({ path, what: `${what} ${quoted(path)}`, budgetMs: BUDGET_MS, stop });
  try {
    return edit();
  } finally {
    lock.release();
  }
}

/** The same where it is the file itself that gets replaced; one that is only read may be anybody's. */
export async function editFrom<T>(
  file: string,
  out: string,
  what: string,
  stop: AbortSignal,
  edit: () => T,
): Promise<T> {
  return isSameFile(file, out) ? editAlone(file, what, stop, edit) : edit();
}
