import { join, resolve } from "node:path";
import { checkDocument } from "./schemas.ts";

const compiled = process.env["WAYBILL_BINARY"];

/** The compiled binary, or null: then the program runs from source. For `test.skipIf(BINARY === null)`. */
export const BINARY: string | null = compiled === undefined || compiled === "" ? null : resolve(compiled);

/** The words that start the program under test. */
export const PROGRAM: readonly string[] =
  BINARY === null ? [process.execPath, join(import.meta.dir, "../../src/main.ts")] : [BINARY];

/** What a child gets besides the variables of its test: nothing of the developer's or the runner's own. */
export const CLEAN_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  LANG: "C.UTF-8",
  // From source the runtime would keep a cache under that home, which root can make.
  ...(BINARY === null ? { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" } : {}),
};

type RunOptions = {
  readonly cwd?: string;
  /** Added to the clean environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** All of standard input; empty without it. */
  readonly stdin?: string | Uint8Array;
  /** For programs of others that take their time on a busy machine. */
  readonly limitMs?: number;
};

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** A run that hangs is killed after this long and shows as exit code 137. */
const HANGING_MS = 50_000;

/** Runs waybill to its end. */
export async function runWaybill(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const finished = await runProgram([...PROGRAM, ...args], options);
  if (args.includes("--json")) checkDocument(finished.stdout);
  return finished;
}

/** Runs any program in the same clean environment. */
export async function runProgram(words: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = Bun.spawn([...words], {
    cwd: options.cwd ?? "/",
    env: { ...CLEAN_ENVIRONMENT, ...options.env },
    stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
    stdout: "pipe",
    stderr: "pipe",
    timeout: options.limitMs ?? HANGING_MS,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

/** The one JSON document that a `--json` run prints; fails when there is anything else on standard output. */
export function jsonOf(finished: Finished): Record<string, unknown> {
  if (!finished.stdout.endsWith("\n") || finished.stdout.trimEnd().includes("\n")) {
    throw new Error(`not one line of JSON: ${JSON.stringify(finished)}`);
  }
  return JSON.parse(finished.stdout);
}
