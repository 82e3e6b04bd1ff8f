import type * as FileSystem from "node:fs";

/**
 * The file system of the runtime, loaded at its first use: that takes a third of the time that a run takes which
 * reads no file, and `http.ts` has it done while the other side thinks.
 */
export function fs(): typeof FileSystem {
  return process.getBuiltinModule("node:fs");
}
