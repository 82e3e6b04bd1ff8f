import { errorCode } from "./files.ts";
import { isAlive, processesWith, startTicks, type ProcessId } from "./process-table.ts";

export type ChildRequest = {
  readonly path: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Descriptors that its output goes to: files, which are there longer than we are. */
  readonly stdout: number;
  readonly stderr: number;
};

/** How a process ended; both null when we only saw that it is gone. */
export type Ended = { readonly code: number | null; readonly signal: string | null };

/** Errors of a machine that has too little of something. The same program may start a moment later. */
const MACHINE = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ENOSPC", "ETXTBSY", "EIO"]);

export type Started =
  | { readonly kind: "started"; readonly child: ProcessId; readonly ended: Promise<Ended> }
  | { readonly kind: "not_started"; readonly code: string; readonly isMachine: boolean };

/** Starts a program that outlives us if need be: a session and a process group of its own, and no pipe to us. */
export function startChild(wanted: ChildRequest): Started {
  try {
    const child = Bun.spawn([wanted.path, ...wanted.args], {
      cwd: wanted.cwd,
      env: { ...wanted.env },
      stdin: "ignore",
      stdout: wanted.stdout,
      stderr: wanted.stderr,
      detached: true,
    });
    const ended = child.exited.then(() => ({
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    }));
    // One that has ended already has no entry any more; then `ended` says so.
    return { kind: "started", child: { pid: child.pid, startTicks: startTicks(child.pid) ?? "" }, ended };
  } catch (error) {
    const code = errorCode(error) || "unknown";
    return { kind: "not_started", code, isMachine: MACHINE.has(code) };
  }
}

/** Sends a signal to the process group that `leader` leads, unless its number belongs to another process by now. */
export function signalGroup(leader: ProcessId, signal: "SIGTERM" | "SIGKILL"): void {
  if (isAlive(leader)) send(-leader.pid, signal);
}

/** Kills whatever still has this variable: what a program left behind when it ended. */
export function killLeftovers(name: string, value: string): void {
  for (const { pid } of processesWith(name, value)) send(pid, "SIGKILL");
}

function send(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
