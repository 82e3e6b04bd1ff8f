/** One run of test files, within bounds: a mutant may loop, wait or allocate without end. */
import { existsSync, readFileSync } from "node:fs";

export type Limits = {
  /** Processor time of each process: a machine that is busy, or stops us for a while, kills no mutant. */
  readonly cpuSeconds: number;
  readonly wallMs: number;
};

const MOST_MEGABYTES = 2_000;
const LOOKS_EVERY_MS = 250;
/** Between two looks; then we were stopped, and whatever a test waited for may have been late. */
const STOPPED_MS = 3_000;
/** Milliseconds that one test may wait. */
const PATIENCE_MS = 20_000;

export type Ended = {
  readonly passed: boolean;
  /** The test file that was at work when it ended badly; null when the runner did not say. */
  readonly failedIn: string | null;
  readonly wasStopped: boolean;
  readonly ms: number;
};

export async function runTestFiles(
  folder: string,
  files: readonly string[],
  limits: Limits,
  preload: string | null,
): Promise<Ended> {
  const words = [
    process.execPath,
    "test",
    "--bail=1",
    `--timeout=${PATIENCE_MS}`,
    ...files.map((file) => `./${file}`),
  ];
  if (preload !== null) words.splice(2, 0, `--preload=${preload}`);
  const { WAYBILL_BINARY: _, WAYBILL_FULL: __, ...env } = process.env;
  const started = performance.now();
  // A session of its own: what a killed test leaves running goes with it.
  const child = Bun.spawn(["sh", "-c", `ulimit -t ${limits.cpuSeconds}; exec "$@"`, "sh", ...words], {
    cwd: folder,
    env,
    detached: true,
    stdin: "ignore",
    stdout: "ignore",
    // Where the runner says which file it is in.
    stderr: "pipe",
  });
  const said = child.stderr.text();
  let wasStopped = false;
  let last = performance.now();
  const looks = setInterval(() => {
    const now = performance.now();
    if (now - last > STOPPED_MS) wasStopped = true;
    last = now;
    if (now - started > limits.wallMs || megabytes(child.pid) > MOST_MEGABYTES) killAll(child.pid);
  }, LOOKS_EVERY_MS);
  const code = await child.exited;
  clearInterval(looks);
  if (performance.now() - last > STOPPED_MS) wasStopped = true;
  killAll(child.pid);
  const failedIn = [...(await said).matchAll(/^(\S+\.test\.ts):$/gmu)].at(-1)?.[1] ?? null;
  return { passed: code === 0, failedIn, wasStopped, ms: performance.now() - started };
}

function killAll(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}

function megabytes(pid: number): number {
  const path = `/proc/${pid}/statm`;
  if (!existsSync(path)) return 0;
  try {
    return (Number(readFileSync(path, "utf8").split(" ")[1]) * 4_096) / 1_048_576;
  } catch {
    // It ended between the two looks.
    return 0;
  }
}
