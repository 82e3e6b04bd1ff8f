/** One process in the copy, within bounds: a mutant may loop, wait or allocate without end. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "./batch.ts";

const MOST_MEGABYTES = 2_000;
const LOOKS_EVERY_MS = 200;
/** Without a step, where the processor time of a process cannot be read. */
const MOST_WALL_MS = 300_000;

/** `cpuSeconds`: how much processor time may pass between two steps: a machine that is busy kills no mutant. */
export async function runBatchIn(
  folder: string,
  plan: Omit<Plan, "log">,
  cpuSeconds: number,
  preload: string | null,
): Promise<string[]> {
  const log = join(folder, "batch-log");
  const file = join(folder, "batch.json");
  rmSync(log, { force: true });
  writeFileSync(file, JSON.stringify({ ...plan, log }));
  const batch = JSON.stringify(join(import.meta.dir, "batch.ts"));
  const call = `import { test } from "bun:test";\nimport { runBatch } from ${batch};\n`;
  writeFileSync(
    join(folder, "batch.test.ts"),
    `${call}test("batch", () => runBatch(${JSON.stringify(file)}), 2 ** 31 - 1);\n`,
  );
  const words = [process.execPath, "test", ...(preload === null ? [] : [`--preload=${preload}`])];
  const { WAYBILL_BINARY: _, WAYBILL_FULL: __, ...env } = process.env;
  // A session of its own: what a killed test leaves running goes with it.
  const child = Bun.spawn([...words, "./batch.test.ts"], {
    cwd: folder,
    env,
    detached: true,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  // Whoever ends us ends it too.
  const end = (): void => killAll(child.pid);
  process.once("exit", end);
  let steps = "";
  let spent = 0;
  let stepped = performance.now();
  const looks = setInterval(() => {
    const found = readLog(log);
    if (found !== steps) {
      [steps, spent, stepped] = [found, cpuSecondsOf(child.pid), performance.now()];
      return;
    }
    const isLate = cpuSecondsOf(child.pid) - spent > cpuSeconds || performance.now() - stepped > MOST_WALL_MS;
    if (isLate || megabytesOf(child.pid) > MOST_MEGABYTES) killAll(child.pid);
  }, LOOKS_EVERY_MS);
  await child.exited;
  clearInterval(looks);
  process.off("exit", end);
  killAll(child.pid);
  return readLog(log).trim().split("\n");
}

function readLog(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function killAll(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}

const PAGE = 4_096;
const TICKS = 100;

function megabytesOf(pid: number): number {
  return (Number(fieldsOf(`/proc/${pid}/statm`)[1] ?? 0) * PAGE) / 1_048_576;
}

/** Processor time so far; proc(5): user and system time are the 14th and 15th field of stat. */
function cpuSecondsOf(pid: number): number {
  const fields = fieldsOf(`/proc/${pid}/stat`);
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / TICKS;
}

function fieldsOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split(" ");
  } catch {
    // It ended between two looks, or this system has no such files.
    return [];
  }
}
