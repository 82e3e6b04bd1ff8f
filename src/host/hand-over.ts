import { FFIType } from "bun:ffi";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { cLibrary } from "./c-library.ts";
import { errorCode, reason } from "./files.ts";

/** A program and everything that it starts with; nothing is inherited but the first three descriptors. */
export type Launch = {
  /** Absolute, and free of links that somebody may move meanwhile. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
};

/** Signals that the runtime ignores, which the next program would inherit: a `head` behind it would never end it. */
const IGNORED = [13, 25];

/**
 * Becomes another program: same process, same id, so that who supervises us supervises it. Returns only by throwing,
 * and then nothing has happened: Failure `program_not_started`.
 */
export function handOver({ path, args, env, cwd }: Launch): never {
  if (process.execve === undefined) {
    throw new Failure("unsupported_platform", `programs cannot be handed over to on ${process.platform}`);
  }
  const { signal } = cLibrary(
    { signal: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.ptr } },
    "programs cannot be handed over to",
  );
  try {
    process.chdir(cwd);
    for (const number of IGNORED) signal(number, null);
    // The runtime calls this an experiment, on the standard error of whoever could not start.
    process.removeAllListeners("warning");
    process.execve(path, [path, ...args], { ...env });
  } catch (error) {
    throw new Failure("program_not_started", `${quoted(path)} did not start: ${why(error)}`, {
      cause: error,
    });
  }
  throw new Failure("program_not_started", `${quoted(path)} did not start`);
}

function why(error: unknown): string {
  const code = errorCode(error);
  if (code === "ENOEXEC") return "it is no program for this machine (ENOEXEC)";
  if (code === "ENOENT") return "it, or the interpreter or loader that it names, does not exist";
  if (code === "EACCES") return "it may not be executed; is its file system mounted noexec?";
  return reason(error);
}
