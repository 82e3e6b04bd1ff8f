/** Two or more ways to do one thing, run in turn so that a noisy neighbour disturbs all of them alike. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MeasuredWay, Role, Run } from "./result.ts";
import { atEnd, compile, newFolder } from "./workshop.ts";

export type Way = {
  readonly name: string;
  /** "peer" where nothing is said. */
  readonly role?: Role;
  /** See MeasuredWay. */
  readonly beside?: string;
  /** Words to run; a failing one ends the bench. */
  readonly words: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What has to be removed before each run. */
  readonly before?: () => void;
  /** A server: its processor time and memory are told in place of those of the words, which are the load on it. */
  readonly server?: number;
};

const { path: folder } = newFolder();
const launcher = compile(join(import.meta.dir, "launch.c"), folder, ["-static"]);

/** `warm`: one round more, which does not count, fills the caches first. Each round begins with another of the ways. */
export async function measure(ways: readonly Way[], rounds: number, warm = true): Promise<MeasuredWay[]> {
  const runs = ways.map((): Run[] => []);
  for (let round = warm ? -1 : 0; round < rounds; round++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const at = (turn + Math.max(round, 0)) % ways.length;
      const way = ways[at];
      if (way === undefined) continue;
      const run = await runOnce(way);
      if (round >= 0) runs[at]?.push(run);
    }
  }
  return ways.map(({ name, role = "peer", beside }, at) => ({
    name,
    role,
    ...(beside === undefined ? {} : { beside }),
    runs: runs[at] ?? [],
  }));
}

async function runOnce(way: Way): Promise<Run> {
  way.before?.();
  const told = join(folder, "took");
  const before = way.server === undefined ? 0 : watchServer(way.server);
  const child = Bun.spawn([launcher, told, ...way.words], {
    stdin: "ignore",
    // As under CI and in $(…); the output of all of them is a few lines.
    stdout: "pipe",
    stderr: "inherit",
    ...(way.cwd === undefined ? {} : { cwd: way.cwd }),
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent", ...way.env },
  });
  const forget = atEnd(() => child.kill());
  await child.stdout.text();
  await child.exited;
  forget();
  if (child.exitCode !== 0) throw new Error(`${way.name} ended with ${child.exitCode}`);
  const [nanoseconds = "", microseconds = "", kilobytes = ""] = readFileSync(told, "utf8").split(/\s/u);
  const wall = Number(nanoseconds) / 1e6;
  return way.server === undefined
    ? { wall, cpu: Number(microseconds) / 1000, memory: Number(kilobytes) / 1024 }
    : { wall, cpu: processorTime(way.server) - before, memory: peakMemory(way.server) };
}

/** Begins the peak of its memory anew and gives the processor time so far. */
function watchServer(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  return processorTime(pid);
}

/** Milliseconds of all threads that still run; `stat` would tell them in hundredths of a second. */
function processorTime(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8"));
  return times.reduce((sum, time) => sum + Number(time.split(" ")[0]) / 1e6, 0);
}

function peakMemory(pid: number): number {
  const found = /VmHWM:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(found) / 1024;
}
