/** Runs groups of fault injections one after the other, and writes their counts and the page. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem, type } from "node:os";
import { dirname, join } from "node:path";
import { version } from "../../package.json";
import type { Counted } from "../../test/support/points.ts";
import { filesOf, type Group } from "./group.ts";
import { GROUPS } from "./groups.ts";
import { countByFile } from "./junit.ts";
import { renderPage } from "./page.ts";
import { isGood, lost, PAGE, RESULTS, type Result, type Row } from "./result.ts";

const root = join(import.meta.dir, "../..");
process.chdir(root);

const words = process.argv.slice(2);
const names = words.filter((word) => word !== "--write");
const unknown = names.filter((name) => !GROUPS.some((group) => group.name === name));
if (unknown.length > 0) {
  const known = GROUPS.map(({ name }) => name).join(", ");
  console.error(`scripts/torture: found ${unknown.join(", ")}; wanted some of ${known}`);
  process.exit(2);
}

let isAllGood = true;
const isChosen = ({ name }: Group): boolean => (words.length === 0 ? true : names.includes(name));
for (const group of GROUPS.filter(isChosen)) {
  const result = runGroup(group);
  keep(result);
  isAllGood &&= isGood(result);
}
writeFileSync(PAGE, renderPage(GROUPS, readResults()));
console.log(PAGE);
process.exitCode = isAllGood ? 0 : 1;

function runGroup(group: Group): Result {
  const folder = mkdtempSync(join(tmpdir(), "waybill-torture-"));
  try {
    const started = performance.now();
    const [log, report] = [join(folder, "points"), join(folder, "junit.xml")];
    // Two files, and two tests of each: most of them wait for a process, a disk or a clock.
    const atOnce = ["--parallel=2", "--max-concurrency=2"];
    const flags = ["--timeout", "600000", ...atOnce, "--reporter=junit", `--reporter-outfile=${report}`];
    const ran = Bun.spawnSync([process.execPath, "test", ...flags, ...filesOf(group)], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      // Ten times what it takes alone: then something hangs, and what it did not count is missing.
      timeout: group.minutes * 600_000,
      killSignal: "SIGKILL",
      env: {
        ...process.env,
        CI: "true",
        WAYBILL_TORTURE_LOG: log,
        ...(group.isWide ? { WAYBILL_FULL: "1" } : {}),
      },
    });
    const seconds = Math.round((performance.now() - started) / 1000);
    const result = toldBy(group, textOf(log), textOf(report), seconds);
    if (!isGood(result) || !ran.success) console.log(`${ran.stdout.toString()}${ran.stderr.toString()}`);
    for (const row of result.rows) {
      const word = lost(row) === 0 ? "ok    " : "LOST  ";
      console.log(`${word} ${group.name}: ${row.name}: ${row.tried} tried, ${row.survived} survived`);
    }
    for (const name of result.missing) console.log(`MISSED ${group.name}: ${name}`);
    console.log(`${group.name}: ${seconds} s`);
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function toldBy(group: Group, log: string, report: string, seconds: number): Result {
  const counted = log
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Counted);
  const byFile = countByFile(report);
  const rows = group.injections.flatMap(({ name, file, per }): Row[] => {
    const one = per === "test" ? byFile.get(file) : counted.find((line) => line.name === name);
    return one === undefined || one.tried === 0 ? [] : [{ name, tried: one.tried, survived: one.survived }];
  });
  const [processor] = cpus();
  return {
    group: group.name,
    date: new Date().toISOString().slice(0, 10),
    version,
    machine: {
      system: `${type()} ${release()}`,
      processor: processor?.model ?? "unknown",
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
    },
    seconds,
    rows,
    missing: group.injections
      .map(({ name }) => name)
      .filter((name) => !rows.some((row) => row.name === name)),
    failedTests: [...byFile.values()].flatMap(({ failed }) => failed),
  };
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function keep(result: Result): void {
  const file = join(RESULTS, `${result.group}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

function readResults(): Result[] {
  return GROUPS.flatMap(({ name }) => {
    const text = textOf(join(RESULTS, `${name}.json`));
    return text === "" ? [] : [JSON.parse(text) as Result];
  });
}
