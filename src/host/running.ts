import { readFileSync, readlinkSync } from "node:fs";
import { allPids } from "./process-table.ts";

/**
 * What the processes of this machine run: the path of each one's program, and its arguments, because the program of
 * a script is its interpreter. Empty where there is no /proc.
 */
export function runningPaths(): string[] {
  return allPids().flatMap((pid) => [
    ...reading(() => [readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/u, "")]),
    ...reading(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\u0000")),
  ]);
}

/** A process may end while we look, or be nobody's business of ours. */
function reading(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
