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
  if (!mayBeTerminal()) return false;
  try {
    if (!fs().fstatSync(descriptor).isCharacterDevice()) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/**
 * Known to the runtime since its start: with no terminal on either stream it colours nothing. Where variables had a
 * say in that, it says nothing. Asking the system takes the file system, see file-system.ts.
 */
function mayBeTerminal(): boolean {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  return Bun.enableANSIColors || NO_COLOR !== undefined || FORCE_COLOR !== undefined;
}

/** Columns of the terminal that standard output is; null when it is none, or does not say. */
export function terminalWidth(): number | null {
  if (!isTerminal(1)) return null;
  const { columns } = process.stdout;
  return columns > 0 ? columns : null;
}

const O_CLOEXEC = 0o2000000;

/**
 * Whether standard output or error was closed when the process started (`>&-`). Bun then puts /dev/null in its
 * place, and what is written there is lost without an error. An inherited descriptor cannot be close-on-exec, Bun's
 * is. Known on Linux only; elsewhere false.
 */
export function wasClosedAtStart(descriptor: 1 | 2): boolean {
  if (process.platform !== "linux" || !looksLikeNull(descriptor)) return false;
  try {
    if (!fs().fstatSync(descriptor).isCharacterDevice()) return false;
    const flags = /^flags:\s+([0-7]+)$/mu.exec(
      fs().readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"),
    )?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    return false;
  }
}

/** A question that needs no file system (loading it takes a third of a short run): nothing else has both of these. */
function looksLikeNull(descriptor: 1 | 2): boolean {
  const [file, nothing] = [Bun.file(descriptor), Bun.file("/dev/null")];
  return file.size === nothing.size && file.lastModified === nothing.lastModified;
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
