/** Two or more ways to do one thing, run in turn so that a noisy neighbour disturbs all of them alike. */
import { cpus, release, totalmem } from "node:os";

export type Way = {
  readonly name: string;
  /** Words to run; a failing one ends the bench. */
  readonly words: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What has to be removed before each run. */
  readonly before?: () => void;
};

export type Measured = {
  readonly name: string;
  /** Median and quickest, milliseconds of wall time. */
  readonly median: number;
  readonly best: number;
  /** Each round's, milliseconds. */
  readonly walls: readonly number[];
  /** Median of the processor time of the process and its children, milliseconds. */
  readonly cpu: number;
  /** Largest resident set in any round, megabytes; of the largest process among it and its children. */
  readonly memory: number;
};

/** A ratio or a difference is the median of those of each round: what slows a whole round down has no part in it. */
export type Goal =
  | { readonly of: string; readonly against: string; readonly most: number }
  | { readonly of: string; readonly against: string; readonly timesFaster: number }
  | { readonly of: string; readonly against: string; readonly mostMoreMs: number }
  | { readonly of: string; readonly mostMegabytes: number };

type Run = { readonly wall: number; readonly cpu: number; readonly memory: number };

/** `warm`: one round more, which does not count, fills the caches first. */
export async function measure(ways: readonly Way[], rounds: number, warm = true): Promise<Measured[]> {
  const runs = new Map(ways.map((way) => [way.name, [] as Run[]]));
  for (let round = warm ? -1 : 0; round < rounds; round++) {
    for (const way of ways) {
      const run = await runOnce(way);
      if (round >= 0) runs.get(way.name)?.push(run);
    }
  }
  return [...runs].map(([name, found]) => {
    const walls = found.map(({ wall }) => wall);
    return {
      name,
      median: median(walls),
      best: Math.min(...walls),
      walls,
      cpu: median(found.map(({ cpu }) => cpu)),
      memory: Math.max(...found.map(({ memory }) => memory)),
    };
  });
}

async function runOnce(way: Way): Promise<Run> {
  way.before?.();
  const started = performance.now();
  const child = Bun.spawn([...way.words], {
    stdin: "ignore",
    // As under CI and in $(…); the output of all of them is a few lines.
    stdout: "pipe",
    stderr: "inherit",
    ...(way.cwd === undefined ? {} : { cwd: way.cwd }),
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent", ...way.env },
  });
  await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`${way.name} ended with ${child.exitCode}`);
  const wall = performance.now() - started;
  const usage = child.resourceUsage();
  return { wall, cpu: Number(usage?.cpuTime.total ?? 0) / 1000, memory: (usage?.maxRSS ?? 0) / 1_048_576 };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** A Markdown table, the goals below it; true when every goal is met. */
export function report(title: string, measured: readonly Measured[], goals: readonly Goal[]): boolean {
  const lines = [
    `### ${title}`,
    "",
    machine(),
    "",
    "| way | median | best | processor | memory |",
    "|---|---|---|---|---|",
  ];
  for (const { name, median: wall, best, cpu, memory } of measured) {
    lines.push(
      `| ${name} | ${wall.toFixed(0)} ms | ${best.toFixed(0)} ms | ${cpu.toFixed(0)} ms | ${memory.toFixed(0)} MB |`,
    );
  }
  lines.push("");
  let met = true;
  for (const goal of goals) {
    const { text, ok } = judge(goal, measured);
    met &&= ok;
    lines.push(`- ${text}: ${ok ? "met" : "MISSED"}`);
  }
  console.log(`${lines.join("\n")}\n`);
  return met;
}

function judge(goal: Goal, measured: readonly Measured[]): { readonly text: string; readonly ok: boolean } {
  const find = (name: string): Measured => {
    const found = measured.find((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} was not measured`);
    return found;
  };
  const a = find(goal.of);
  if ("mostMegabytes" in goal) {
    const { of, mostMegabytes: most } = goal;
    return { text: `memory of ${of}: ${a.memory.toFixed(0)} MB (wanted ≤ ${most} MB)`, ok: a.memory <= most };
  }
  const b = find(goal.against);
  const over = (combine: (ours: number, theirs: number) => number): number =>
    median(a.walls.map((wall, round) => combine(wall, b.walls[round] ?? Number.NaN)));
  const pair = `${goal.of} / ${goal.against}`;
  if ("mostMoreMs" in goal) {
    const more = over((ours, theirs) => ours - theirs);
    const { mostMoreMs: most } = goal;
    return {
      text: `${goal.of} over ${goal.against}: ${more.toFixed(0)} ms more (wanted ≤ ${most} ms)`,
      ok: more <= most,
    };
  }
  if ("timesFaster" in goal) {
    const faster = over((ours, theirs) => theirs / ours);
    const { timesFaster: least } = goal;
    return { text: `${pair}: ${faster.toFixed(2)}× faster (wanted ≥ ${least}×)`, ok: faster >= least };
  }
  const ratio = over((ours, theirs) => ours / theirs);
  const most = Number(goal.most.toFixed(2));
  return { text: `${pair}: ${ratio.toFixed(2)}× (wanted ≤ ${most}×)`, ok: ratio <= goal.most };
}

function machine(): string {
  const [first] = cpus();
  const memory = (totalmem() / 1_073_741_824).toFixed(0);
  return `${cpus().length} × ${first?.model ?? "unknown"}, ${memory} GB, Linux ${release()}, Bun ${Bun.version}, ${new Date().toISOString().slice(0, 10)}`;
}
