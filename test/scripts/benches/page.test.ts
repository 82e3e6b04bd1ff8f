import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { plotOf } from "../../../scripts/benches/harness/plot.ts";
import { tableText } from "../../../scripts/benches/harness/page.ts";
import {
  BENCHES,
  type MeasuredWay,
  type Result,
  type Table,
} from "../../../scripts/benches/harness/result.ts";
import { performanceFiles } from "../../../scripts/benches/harness/write-page.ts";
import { runProgram } from "../../support/binary.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const ROOT = join(import.meta.dir, "../../..");
const BENCH_FOLDER = join(ROOT, "scripts/benches");

const way = (name: string, role: MeasuredWay["role"], wall: number, beside?: string): MeasuredWay => ({
  name,
  role,
  ...(beside === undefined ? {} : { beside }),
  runs: [{ wall, cpu: wall / 2, memory: 12 }],
});

describe("docs/performance.md", () => {
  test.each([...performanceFiles()])("%s is what follows from the results", (path, text) => {
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("has prose for every bench, and where it has figures, which grow old, their date", () => {
    for (const name of ["page", ...BENCHES]) {
      const note = readFileSync(join(BENCH_FOLDER, `notes/${name}.md`), "utf8");
      expect(note.length).toBeGreaterThan(100);
      if (/\d\s?(?:ms|µs|s|MB|GB|%|×)\b/u.test(note)) expect(note).toMatch(/\b20\d\d-\d\d-\d\d\b/u);
    }
  });

  test("has every bench that can be run, and the script runs each of them", () => {
    const files = readdirSync(BENCH_FOLDER).filter((name) => /\brecord\(\s*"/u.test(source(name)));
    expect(files.map((name) => name.replace(".ts", "")).toSorted()).toEqual([...BENCHES].toSorted());
    expect(readFileSync(join(ROOT, "scripts/bench"), "utf8")).toContain(`names="${BENCHES.join(" ")}"`);
  });
});

function source(name: string): string {
  return name.endsWith(".ts") ? readFileSync(join(BENCH_FOLDER, name), "utf8") : "";
}

describe("a table", () => {
  const table = (ways: readonly MeasuredWay[]): Table => ({ title: "t", ways, goals: [] });
  const row = (text: string, name: string): string[] =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`| ${name} |`))
      .flatMap((line) => line.split(" | ").slice(6));

  test("puts each of ours beside each of the others", () => {
    const text = tableText(table([way("a", "ours", 10), way("b", "ours", 40), way("c", "peer", 20)]));
    expect(row(text, "c")).toEqual(["0.50× of it", "2.00× of it |"]);
    expect(row(text, "**a**")).toEqual(["", " |"]);
  });

  test("puts pairs together where it says which", () => {
    const ways = [
      way("a", "ours", 10),
      way("b", "peer", 20, "a"),
      way("c", "ours", 30),
      way("d", "peer", 3, "c"),
    ];
    const text = tableText(table(ways));
    expect(row(text, "b")).toEqual(["0.50× of it |"]);
    expect(row(text, "d")).toEqual(["10.0× of it |"]);
  });

  test("keeps its columns whatever a way is called", () => {
    expect(tableText(table([way("tar | zstd", "peer", 1)]))).toContain("| tar \\| zstd |");
  });
});

test("a plot has no script, names everything, and escapes what it names", () => {
  const result: Result = {
    bench: "growth",
    measuredAt: "2026-01-01T00:00:00Z",
    waybill: "waybill",
    machine: "one",
    tables: [{ title: "a <b> & c", ways: [way("tar && x", "ours", 10)], goals: [] }],
    curves: [
      {
        title: "over",
        over: "files",
        lines: [
          {
            name: "line",
            role: "ours",
            wanted: 1,
            points: [
              { at: 1, cost: 2 },
              { at: 1_000, cost: 2_000 },
            ],
          },
        ],
      },
    ],
    skipped: [],
  };
  const svg = plotOf(result);
  expect(svg).toContain("a &lt;b&gt; &amp; c");
  expect(svg).toContain("tar &amp;&amp; x");
  expect(svg).toContain("exponent 1.00 (r² 1.000)");
  expect(svg).toContain("prefers-color-scheme: dark");
  expect(svg).not.toMatch(/<script|NaN|Infinity|undefined/u);
});

describe.skipIf(Bun.which("cc") === null)("the stop watch (needs cc)", () => {
  async function launched(
    ...words: string[]
  ): Promise<{ code: number; wall: number; cpu: number; memory: number }> {
    using folder = temporaryFolder();
    const [program, told] = [folder.at("launch"), folder.at("took")];
    const source = join(BENCH_FOLDER, "harness/launch.c");
    expect((await runProgram(["cc", "-O2", "-static", "-o", program, source])).code).toBe(0);
    const { code } = await runProgram([program, told, ...words]);
    const [wall, cpu, memory] = readFileSync(told, "utf8").split(/\s/u).map(Number) as [
      number,
      number,
      number,
    ];
    return { code, wall, cpu, memory };
  }

  test("weighs next to nothing itself", async () => {
    const { code, wall, memory } = await launched("true");
    expect(code).toBe(0);
    expect(wall).toBeGreaterThan(0);
    // Kilobytes: the program `true` has some of its own.
    expect(memory).toBeLessThan(4_096);
  });

  test("counts the memory and the time of children that were waited for", async () => {
    const shell = "x=$(head -c 30000000 /dev/zero | tr '\\0' a); : $x";
    const { memory, cpu } = await launched("sh", "-c", shell);
    expect(memory).toBeGreaterThan(30_000);
    expect(cpu).toBeGreaterThan(1_000);
  });

  test.each([
    ["exit 7", 7],
    ["kill -TERM $$", 143],
  ])("ends as the program ends: %s", async (line, wanted) => {
    expect((await launched("sh", "-c", line)).code).toBe(wanted);
  });
});
