import type * as FileSystem from "node:fs";
import type * as Paths from "node:path";

/**
 * The file system of the runtime, loaded at its first use: that takes a third of the time that a run takes which
 * reads no file.
 */
export function fs(): typeof FileSystem {
  return process.getBuiltinModule("node:fs");
}

/** What the runtime knows of paths, for those who mostly do without: the same goes for it. */
export function paths(): typeof Paths {
  return process.getBuiltinModule("node:path");
}
