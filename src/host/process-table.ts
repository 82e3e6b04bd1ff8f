import { readdirSync, readFileSync } from "node:fs";

/** A process and what tells it from a later one with the same number. */
export type ProcessId = { readonly pid: number; readonly startTicks: string };

/** The boot of this machine: numbers of processes mean nothing after the next one. "" where it cannot be told. */
export function bootId(): string {
  return read("/proc/sys/kernel/random/boot_id").trim();
}

/** When a process was started, in ticks of the kernel; null when there is none, or only its entry is left. */
export function startTicks(pid: number): string | null {
  const fields = fieldsOf(pid);
  return fields === null || fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
}

export function isAlive({ pid, startTicks: ticks }: ProcessId): boolean {
  return startTicks(pid) === ticks;
}

/** The processes that were started with this variable, and what they started: it is in their environment. */
export function processesWith(name: string, value: string): ProcessId[] {
  const wanted = `\u0000${name}=${value}\u0000`;
  return allPids().flatMap((pid) => {
    if (!`\u0000${read(`/proc/${pid}/environ`)}`.includes(wanted)) return [];
    const ticks = startTicks(pid);
    return ticks === null ? [] : [{ pid, startTicks: ticks }];
  });
}

/** Ended children of ours that nobody has asked for: in a container, where orphans become those of process 1. */
export function endedChildren(): number[] {
  return allPids().filter((pid) => {
    const fields = fieldsOf(pid);
    return fields?.[0] === "Z" && fields[1] === String(process.pid);
  });
}

/** Every process of this machine; none where there is no /proc. */
export function allPids(): number[] {
  try {
    return readdirSync("/proc").flatMap((name) => (/^\d+$/u.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

/** The fields of `stat` from the third on: state, parent, … Its second one may hold any text, brackets too. */
function fieldsOf(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text === "" ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** A process may end while we look, or be nobody's business of ours. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
