import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { filesOf } from "../../scripts/tortures/group.ts";
import { GROUPS } from "../../scripts/tortures/groups.ts";
import { countByFile } from "../../scripts/tortures/junit.ts";
import { renderPage } from "../../scripts/tortures/page.ts";
import { isGood, PAGE, RESULTS, type Result } from "../../scripts/tortures/result.ts";
import { temporaryFolder } from "../support/temporary.ts";

const ROOT = join(import.meta.dir, "../..");

/** Names that tests give to `pointsOf`. */
function countedNames(): string[] {
  const files = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".test.ts") && !file.endsWith("reliability.test.ts"))
    .flatMap((file) => [
      ...readFileSync(join(ROOT, "test", file), "utf8").matchAll(/\bpointsOf\(\s*"([^"]+)"/gu),
    ])
    .map(([, name = ""]) => name);
}

describe("the catalogue of injections", () => {
  const injections = GROUPS.flatMap((group) => group.injections);

  test("names files that are there, and each injection once", () => {
    expect(GROUPS.flatMap(filesOf).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    expect(new Set(injections.map(({ name }) => name)).size).toBe(injections.length);
  });

  test("has everything that a test counts, and nothing else", () => {
    const counted = injections.filter(({ per }) => per === "point").map(({ name }) => name);
    expect(countedNames().toSorted()).toEqual(counted.toSorted());
  });
});

describe("docs/reliability.md", () => {
  const results = GROUPS.flatMap(({ name }): Result[] => {
    const file = join(ROOT, RESULTS, `${name}.json`);
    return existsSync(file) ? [JSON.parse(readFileSync(file, "utf8")) as Result] : [];
  });

  test("says what the counts say; else run: scripts/torture --write", () => {
    expect(readFileSync(join(ROOT, PAGE), "utf8")).toBe(renderPage(GROUPS, results));
  });

  const machine = { system: "Linux", processor: "x", cores: 2, memoryGb: 4 };
  const whole: Result = {
    group: GROUPS[0]?.name ?? "",
    date: "2026-11-21",
    version: "0.1.0",
    machine,
    seconds: 7,
    rows: (GROUPS[0]?.injections ?? []).map(({ name }) => ({ name, tried: 1200, survived: 1200 })),
    missing: [],
    failedTests: [],
  };

  test("shows a point that was lost, a count that is missing and a test that failed", () => {
    expect(isGood(whole)).toBe(true);
    const [first, ...others] = whole.rows;
    if (first === undefined) throw new Error("no rows");
    const bad = {
      ...whole,
      rows: [{ ...first, survived: 1199 }, ...others.slice(1)],
      failedTests: ["it broke"],
    };
    const page = renderPage(GROUPS, [bad]);
    expect(page).toContain("| 1,200 | 1,199 | 1 |");
    expect(page).toContain("| not run |  |  |");
    expect(page).toContain("1 tests failed: it broke.");
    for (const change of [{ rows: bad.rows }, { missing: ["x"] }, { failedTests: ["x"] }])
      expect(isGood({ ...whole, ...change })).toBe(false);
  });
});

describe("the counts", () => {
  const source = `
    import { expect, test } from "bun:test";
    import { pointsOf } from ${JSON.stringify(join(ROOT, "test/support/points.ts"))};
    const points = pointsOf("it");
    test("a", async () => {
      points.check(() => 1);
      await points.try(async () => 1);
    });
    test("b", () => points.check(() => expect(1).toBe(2)));
    test.skip("c", () => {});`;

  test("see a point that throws as lost, and leave out what was skipped", async () => {
    using folder = temporaryFolder();
    await Bun.write(folder.at("x.test.ts"), source);
    const ran = Bun.spawnSync(
      [process.execPath, "test", "--reporter=junit", "--reporter-outfile=report", "./x.test.ts"],
      { cwd: folder.path, env: { ...process.env, WAYBILL_TORTURE_LOG: folder.at("log") }, stderr: "ignore" },
    );
    expect(ran.success).toBe(false);
    expect(JSON.parse(readFileSync(folder.at("log"), "utf8"))).toEqual({ name: "it", tried: 3, survived: 2 });
    const counts = countByFile(readFileSync(folder.at("report"), "utf8"));
    expect(counts.get("x.test.ts")).toEqual({ tried: 2, survived: 1, failed: ["b"] });
  });
});
