import { FFIType } from "bun:ffi";
import { cLibrary } from "./c-library.ts";
import { endedChildren } from "./process-table.ts";

const WNOHANG = 1;
let seenBefore: ReadonlySet<number> = new Set();

/**
 * Lets go of orphans that have ended, when we are process 1 and they became ours. Only those that were there the last
 * time as well: the runtime asks for its own children right away, and must find them.
 */
export function reapOrphans(): void {
  if (process.pid !== 1) return;
  const ended = endedChildren();
  const { waitpid } = cLibrary(
    { waitpid: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i32 } },
    "orphans cannot be reaped",
  );
  for (const pid of ended) if (seenBefore.has(pid)) waitpid(pid, null, WNOHANG);
  seenBefore = new Set(ended);
}
