import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { LONGEST_TIMER_MS } from "./clock.ts";

export type ProcessRequest = {
  /** Absolute path of the program; see `findProgram`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the child: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  readonly maxOutputBytes: number;
  /** What the child reads on standard input; nothing when absent. */
  readonly input?: Uint8Array;
  /** Aborted, it ends the child: a group of its own hears nothing of the signals that our terminal or runner sends. */
  readonly stop: AbortSignal;
};

export type ProcessResult =
  | {
      readonly outcome: "exited";
      readonly code: number;
      readonly stdout: Uint8Array;
      readonly stderr: string;
    }
  | { readonly outcome: Cut | "not_started" };

type Cut = "deadline" | "too_much_output" | "stopped";

const STDERR_BYTES = 16_384;
/** What there is room for at first. */
const OUTPUT_BYTES = 4_096;

/**
 * Runs a program to its end, its deadline, its output ceiling or the run's own stop; at the latter three its whole
 * process group is killed.
 */
export async function runProcess(wanted: ProcessRequest): Promise<ProcessResult> {
  const { stop } = wanted;
  if (stop.aborted) return { outcome: "stopped" };
  let child: Bun.Subprocess<"ignore" | Uint8Array, "pipe", "pipe">;
  try {
    child = Bun.spawn([wanted.program, ...wanted.args], {
      cwd: wanted.cwd,
      env: { ...wanted.env },
      stdin: wanted.input ?? "ignore",
      stdout: "pipe",
      stderr: "pipe",
      // A group of its own, so that a grandchild that keeps the pipe open ends with it.
      detached: true,
    });
  } catch {
    return { outcome: "not_started" };
  }
  const [stdout, stderr] = [child.stdout.getReader(), child.stderr.getReader()];
  let cut: Cut | null = null;
  const kill = (why: Cut): void => {
    cut ??= why;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL");
    }
    // A grandchild that left the group may hold the pipes still; nobody waits for it.
    void stdout.cancel();
    void stderr.cancel();
  };
  const timer = setTimeout(() => kill("deadline"), Math.min(wanted.deadlineMs, LONGEST_TIMER_MS));
  const onStop = (): void => kill("stopped");
  stop.addEventListener("abort", onStop, { once: true });
  try {
    const [output, errors] = await Promise.all([
      collect(stdout, wanted.maxOutputBytes, () => kill("too_much_output")),
      collect(stderr, STDERR_BYTES, null),
    ]);
    const code = await child.exited;
    if (cut !== null) return { outcome: cut };
    return { outcome: "exited", code, stdout: output, stderr: new TextDecoder().decode(errors) };
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
  }
}

type Reader = { readonly read: () => Promise<{ readonly value?: Uint8Array | undefined }> };

/** Reads to the end and keeps the first `max` bytes; `onMore` is called once when there is more. */
async function collect(reader: Reader, max: number, onMore: (() => void) | null): Promise<Uint8Array> {
  let kept = new Uint8Array(OUTPUT_BYTES);
  let length = 0;
  for (;;) {
    const { value: piece } = await reader.read();
    if (piece === undefined) break;
    if (length + piece.length > max && onMore !== null) {
      onMore();
      break;
    }
    const end = Math.min(max, length + piece.length);
    if (end > kept.length) kept = grown(kept, end, max);
    if (length < max) kept.set(piece.subarray(0, max - length), length);
    length += piece.length;
    // A piece in memory of its own is given back now: the collector sees too late how much they are together.
    if (piece.buffer instanceof ArrayBuffer && piece.buffer.byteLength === piece.length)
      piece.buffer.transfer(0);
  }
  return kept.subarray(0, Math.min(max, length));
}

/** Long output grows where it is: what it was copied from would stand beside it until it is collected. */
function grown(kept: Uint8Array<ArrayBuffer>, needed: number, max: number): Uint8Array<ArrayBuffer> {
  const length = Math.min(max, Math.max(needed, 2 * kept.length));
  if (kept.buffer.resizable) {
    kept.buffer.resize(length);
    return kept;
  }
  const larger = new Uint8Array(new ArrayBuffer(length, { maxByteLength: max }));
  larger.set(kept);
  return larger;
}

/**
 * The first executable `name` in the absolute folders of `path`. Relative ones (`.`, the empty string) would let
 * the current folder, which may be a stranger's checkout, choose the program.
 */
export function findProgram(name: string, path: string | undefined): string | null {
  for (const folder of (path ?? "").split(":")) {
    if (!isAbsolute(folder)) continue;
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {}
  }
  return null;
}
