/** Two or more ways to do one thing, run in turn so that a noisy neighbour disturbs all of them alike. */
import { cpus, release, totalmem } from "node:os";

export type Way = {
  readonly name: string;
  /** Words to run; a failing one ends the bench. */
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What has to be removed before each run. */
  readonly before?: () => void;
};

export type Measured = {
  readonly name: string;
  /** Median and quickest, milliseconds of wall time. */
  readonly median: number;
  readonly best: number;
  /** Median of the processor time of the process and its children, milliseconds. */
  readonly cpu: number;
  /** Largest resident set in any round, megabytes; of the process itself. */
  readonly memory: number;
};

export type Goal = { readonly of: string; readonly against: string; readonly most: number };

export async function measure(ways: readonly Way[], rounds: number): Promise<Measured[]> {
  const runs = new Map(ways.map((way) => [way.name, [] as { wall: number; cpu: number; memory: number }[]]));
  // One round to warm the caches, which does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) {
      way.before?.();
      const started = performance.now();
      const child = Bun.spawn([...way.words], {
        stdin: "ignore",
        // As under CI and in $(…); the output of all of them is a few lines.
        stdout: "pipe",
        stderr: "inherit",
        env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent", ...way.env },
      });
      await child.stdout.text();
      if ((await child.exited) !== 0) throw new Error(`${way.name} ended with ${child.exitCode}`);
      const wall = performance.now() - started;
      const usage = child.resourceUsage();
      const cpu = Number(usage?.cpuTime.total ?? 0) / 1000;
      if (round > 0) runs.get(way.name)?.push({ wall, cpu, memory: (usage?.maxRSS ?? 0) / 1_048_576 });
    }
  }
  return [...runs].map(([name, found]) => ({
    name,
    median: median(found.map(({ wall }) => wall)),
    best: Math.min(...found.map(({ wall }) => wall)),
    cpu: median(found.map(({ cpu }) => cpu)),
    memory: Math.max(...found.map(({ memory }) => memory)),
  }));
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
  for (const { of, against, most } of goals) {
    const [a, b] = [measured.find(({ name }) => name === of), measured.find(({ name }) => name === against)];
    const ratio = (a?.median ?? Number.NaN) / (b?.median ?? Number.NaN);
    const ok = ratio <= most;
    met &&= ok;
    lines.push(`- ${of} / ${against}: ${ratio.toFixed(2)}× (wanted ≤ ${most}×): ${ok ? "met" : "MISSED"}`);
  }
  console.log(`${lines.join("\n")}\n`);
  return met;
}

function machine(): string {
  const [first] = cpus();
  const memory = (totalmem() / 1_073_741_824).toFixed(0);
  return `${cpus().length} × ${first?.model ?? "unknown"}, ${memory} GB, Linux ${release()}, Bun ${Bun.version}, ${new Date().toISOString().slice(0, 10)}`;
}
