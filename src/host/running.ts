import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * What the processes of this machine run: the path of each one's program, and its arguments, because the program of
 * a script is its interpreter. Empty where there is no /proc.
 */
export function runningPaths(): string[] {
  let processes: string[];
  try {
    processes = readdirSync("/proc").filter((name) => /^\d+$/u.test(name));
  } catch {
    return [];
  }
  return processes.flatMap((id) => [
    ...reading(() => [readlinkSync(`/proc/${id}/exe`).replace(/ \(deleted\)$/u, "")]),
    ...reading(() => readFileSync(`/proc/${id}/cmdline`, "utf8").split("\u0000")),
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
