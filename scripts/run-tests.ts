/**
 * Runs every check in order and counts. A test runner's exit code alone proves nothing (a test may call
 * process.exit(0)), so the count comes from its JUnit report, and a report without tests is a failure.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bun = process.execPath;
let passed = 0;
let failed = 0;
let skipped = 0;

// Under our Bun, whatever Node the machine has: Debian's is too old for some of them.
const tool = [bun, "x", "--bun"];

function check(name: string, command: readonly string[]): void {
  const started = performance.now();
  const result = Bun.spawnSync([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (result.exitCode === 0) passed++;
  else {
    failed++;
    process.stdout.write(`${result.stdout.toString()}${result.stderr.toString()}\n`);
  }
  console.log(`${result.exitCode === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
}

// First, and alone when it fails: it takes a second, and whoever changed a flag need not wait for all the rest.
check("generated pages", ["scripts/docs", "--check"]);
if (failed > 0) {
  console.log("nothing else was run\n0 passed, 1 failed");
  process.exit(1);
}
check("format", [...tool, "oxfmt", "--check", "."]);
check("lint", [...tool, "oxlint", "--type-aware", "--deny-warnings", "src", "test", "scripts", "release"]);
check("types", [...tool, "tsc", "-p", "."]);
check("dead code", [...tool, "knip"]);

const folder = mkdtempSync(join(tmpdir(), "waybill-tests-"));
const report = join(folder, "junit.xml");
const seed = process.env["WAYBILL_TEST_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31));
console.log(`tests, in random order with seed ${seed} (WAYBILL_TEST_SEED repeats it)`);
const run = Bun.spawnSync(
  [
    bun,
    "test",
    "--randomize",
    "--seed",
    seed,
    "--timeout",
    "120000",
    // Most tests wait for a process of their own.
    "--parallel=2",
    "--reporter=junit",
    `--reporter-outfile=${report}`,
  ],
  { stdin: "ignore", stdout: "inherit", stderr: "inherit", env: { ...process.env, CI: "true" } },
);
const suite = existsSync(report) ? /<testsuites\b[^>]*>/u.exec(readFileSync(report, "utf8"))?.[0] : undefined;
rmSync(folder, { recursive: true, force: true });
const count = (name: string): number =>
  Number(new RegExp(`\\b${name}="(\\d+)"`, "u").exec(suite ?? "")?.[1] ?? 0);
const broken = count("failures") + count("errors");
passed += count("tests") - broken - count("skipped");
skipped += count("skipped");
failed += broken;
if (count("tests") === 0 || (run.exitCode !== 0 && broken === 0)) {
  console.log(`FAILED the test runner ended with ${run.exitCode} after ${count("tests")} reported tests`);
  failed++;
}

if (process.env["WAYBILL_CONFORMANCE"] === undefined)
  console.log("skipped: conformance data (WAYBILL_CONFORMANCE is not set)");
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
