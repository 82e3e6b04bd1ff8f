import { fs } from "./file-system.ts";

export type WriteResult = "written" | "reader_gone";

/**
 * Writes all bytes to an open descriptor. A full pipe (EAGAIN) is waited for; a reader that closed it (EPIPE) is
 * reported, not thrown; any other error (ENOSPC on a full device) is thrown. `console.log` hides all three.
 */
export function writeFully(descriptor: number, text: string): WriteResult {
  const bytes = new TextEncoder().encode(text);
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += fs().writeSync(descriptor, bytes, offset, bytes.length - offset);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") return "reader_gone";
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
    }
  }
  return "written";
}

/** Whether somebody reads at the other end of a descriptor, as a CI runner does. */
export function isPipe(descriptor: 1 | 2): boolean {
  try {
    const status = fs().fstatSync(descriptor);
    return status.isFIFO() || status.isSocket();
  } catch {
    return false;
  }
}

/** Whether a person sees what is written there. The module that can tell is slow to load; a file or pipe is none. */
export function isTerminal(descriptor: 1 | 2): boolean {
  try {
    if (!fs().fstatSync(descriptor).isCharacterDevice()) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/**
 * Writes the whole text to standard output, as `writeFully` does, without the file system module: loading that takes
 * longer than the rest of a run that reads no file.
 */
export async function writeOutput(text: string): Promise<WriteResult> {
  try {
    // Waits for a full pipe; a full device and a reader that went away are errors, as they are for a system call.
    await Bun.write(Bun.stdout, text);
    return "written";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return "reader_gone";
    throw error;
  }
}

/** What standard output is, when it is a character device: `memory` is /dev/null and its like. */
async function outputDevice(): Promise<"memory" | "other" | null> {
  try {
    const { mode, rdev } = await Bun.stdout.stat();
    if ((mode & 0o170000) !== 0o020000) return null;
    return process.platform === "linux" && rdev >> 8 === 1 ? "memory" : "other";
  } catch {
    return null;
  }
}

/** Whether a person sees what is written to standard output. The module that can tell is asked when it may be. */
export async function isOutputTerminal(): Promise<boolean> {
  return (await outputDevice()) === "other" && process.getBuiltinModule("node:tty").isatty(1);
}

const O_CLOEXEC = 0o2000000;

/**
 * Whether standard output was closed when the process started (`>&-`). Bun then puts /dev/null in its place, and what
 * is written there is lost without an error. An inherited descriptor cannot be close-on-exec, Bun's is. Known on Linux
 * only; elsewhere false.
 */
export async function wasOutputClosed(): Promise<boolean> {
  if (process.platform !== "linux" || (await outputDevice()) !== "memory") return false;
  try {
    const flags = /^flags:\s+([0-7]+)$/mu.exec(await Bun.file("/proc/self/fdinfo/1").text())?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    return false;
  }
}

/** Where standard output goes when others would see a secret there, in words; null for a pipe and a 0600 file. */
export function exposedOutput(): string | null {
  if (isTerminal(1)) return "a terminal";
  const status = fs().fstatSync(1);
  if (status.isFIFO() || status.isSocket()) return null;
  if (!status.isFile()) return "neither a pipe nor a file";
  const mode = status.mode & 0o777;
  if ((mode & 0o077) === 0) return null;
  return `a file with mode ${mode.toString(8).padStart(4, "0")}`;
}
