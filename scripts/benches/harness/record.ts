/** Runs a bench, tells each table as soon as it is measured, and keeps all of it in docs/performance. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { growthOf } from "./growth.ts";
import { judge } from "./judge.ts";
import { curveText, tableText } from "./page.ts";
import type { BENCHES, Curve, Goal, Result, Run, Table, Work } from "./result.ts";
import { measure, type Way } from "./rounds.ts";
import { allSkipped, run } from "./workshop.ts";
import { RESULTS, writePage } from "./write-page.ts";

export const BINARY: string = process.env["WAYBILL_BINARY"] ?? join(import.meta.dir, "../../../dist/waybill");

export type Comparison = {
  readonly title: string;
  readonly rounds: number;
  readonly ways: readonly Way[];
  readonly goals?: readonly Goal[] | (() => readonly Goal[]);
  readonly work?: Work;
  readonly costsOf?: string;
  /** False where a round to fill the caches would be beside the point, or too long. */
  readonly warm?: boolean;
};

export type Book = {
  readonly compare: (comparison: Comparison) => Promise<Table>;
  readonly curve: (curve: Curve) => void;
};

/** Ends with 3 when a goal was missed, which is no failure of the bench: all of it is kept all the same. */
export async function record(
  bench: (typeof BENCHES)[number],
  work: (book: Book) => Promise<void>,
): Promise<void> {
  const tables: Table[] = [];
  const curves: Curve[] = [];
  await work({
    compare: async ({ title, rounds, ways, goals = [], warm = true, work, costsOf }) => {
      const measured = await measure(ways, rounds, warm);
      const table: Table = {
        title,
        ...(work === undefined ? {} : { work }),
        ...(costsOf === undefined ? {} : { costsOf }),
        ways: measured.map((way) => ({ ...way, runs: way.runs.map(rounded) })),
        goals: typeof goals === "function" ? goals() : goals,
      };
      tables.push(table);
      console.log(`${tableText(table)}\n`);
      return table;
    },
    curve: (curve) => {
      curves.push(curve);
      console.log(`${curveText(curve)}\n`);
    },
  });
  const result: Result = {
    bench,
    measuredAt: `${new Date().toISOString().slice(0, 19)}Z`,
    waybill: run([BINARY, "version"]).trim(),
    machine: machine(),
    tables,
    curves,
    skipped: allSkipped(),
  };
  mkdirSync(RESULTS, { recursive: true });
  // A line for each run.
  const text = JSON.stringify(result, null, 1).replaceAll(/\{\s+("wall"|"at")[^}]+\}/gu, (one) =>
    one.replaceAll(/\s+/gu, " "),
  );
  writeFileSync(join(RESULTS, `${bench}.json`), `${text}\n`);
  writePage();
  const met =
    tables.every((table) => table.goals.every((goal) => judge(goal, table).met)) &&
    curves.every(({ lines }) => lines.every((line) => growthOf(line).met !== false));
  process.exitCode = met ? 0 : 3;
}

/** How many rounds, from the command line; a bench knows best how long one of its rounds is. */
export function roundsOr(usual: number): number {
  const given = Number(process.argv[2] ?? usual);
  if (!Number.isInteger(given) || given < 1)
    throw new Error(`found ${process.argv[2]} rounds, wanted a number`);
  return given;
}

function rounded({ wall, cpu, memory }: Run): Run {
  const to = (value: number, digits: number): number => Number(value.toFixed(digits));
  return { wall: to(wall, 3), cpu: to(cpu, 3), memory: to(memory, 1) };
}

function machine(): string {
  const [first] = cpus();
  const memory = (totalmem() / 1_073_741_824).toFixed(0);
  return `${cpus().length} × ${first?.model ?? "unknown"}, ${memory} GB, Linux ${release()}, Bun ${Bun.version}`;
}
