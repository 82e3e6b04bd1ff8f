import { readFileSync } from "node:fs";
import { CLEAN_ENVIRONMENT, PROGRAM } from "./binary.ts";

/** Whether programs may be traced here; containers often forbid it. */
export const HAS_STRACE: boolean =
  process.platform === "linux" &&
  Bun.which("strace") !== null &&
  Bun.spawnSync(["strace", "-f", "-o", "/dev/null", "true"], { stderr: "ignore" }).exitCode === 0;

/** One fault: the Nth of these calls kills the program (`signal=KILL`) or fails (`error=ENOSPC`). */
export type Fault = { readonly calls: string; readonly effect: string; readonly when: number };

export type Faulty = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** False when there was no such call any more. */
  readonly wasHit: boolean;
};

/** Runs waybill with one fault. strace counts calls for each thread and each name by itself. */
export async function runFaulty(
  words: readonly string[],
  fault: Fault,
  log: string,
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Faulty> {
  const inject = `inject=${fault.calls}:${fault.effect}:when=${fault.when}`;
  const child = Bun.spawn(
    ["strace", "-f", "-qq", "-o", log, "-e", `trace=${fault.calls}`, "-e", inject, ...PROGRAM, ...words],
    {
      cwd: options.cwd,
      env: { ...CLEAN_ENVIRONMENT, ...options.env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: 50_000,
      killSignal: "SIGTERM",
    },
  );
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const killed = child.signalCode !== null || code === 137;
  return {
    code: child.signalCode === null ? code : 137,
    stdout,
    stderr,
    wasHit: killed || readFileSync(log, "utf8").includes("(INJECTED)"),
  };
}
