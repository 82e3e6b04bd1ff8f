import { describe, expect, test } from "bun:test";
import { judge } from "../../../scripts/benches/harness/judge.ts";
import type { Goal, MeasuredWay, Table } from "../../../scripts/benches/harness/result.ts";

const way = (name: string, walls: readonly number[], memory = 50): MeasuredWay => ({
  name,
  role: "peer",
  runs: walls.map((wall) => ({ wall, cpu: wall, memory })),
});

const table: Table = {
  title: "t",
  work: { amount: 100, unit: "polls" },
  ways: [way("ours", [10, 20, 30], 80), way("theirs", [20, 40, 60])],
  goals: [],
};

describe("a goal", () => {
  test.each<[Goal, boolean, string]>([
    [
      { of: "ours", against: "theirs", most: 0.5 },
      true,
      "ours: 0.50× the time of theirs (wanted: at most 0.5×)",
    ],
    [
      { of: "ours", against: "theirs", most: 0.49 },
      false,
      "ours: 0.50× the time of theirs (wanted: at most 0.49×)",
    ],
    [
      { of: "ours", against: "theirs", timesFaster: 2 },
      true,
      "ours: 2.00× as fast as theirs (wanted: at least 2×)",
    ],
    [
      { of: "ours", against: "theirs", timesFaster: 2.1 },
      false,
      "ours: 2.00× as fast as theirs (wanted: at least 2.1×)",
    ],
    [
      { of: "theirs", against: "ours", mostMoreMs: 20 },
      true,
      "theirs: 20.0 ms more than ours (wanted: at most 20 ms)",
    ],
    [{ of: "ours", mostMs: 19 }, false, "ours: 20.0 ms (wanted: at most 19 ms)"],
    [{ of: "ours", mostMegabytes: 80 }, true, "ours: 80 MB (wanted: at most 80 MB)"],
    [{ of: "ours", mostMegabytes: 79 }, false, "ours: 80 MB (wanted: at most 79 MB)"],
    [
      { of: "ours", leastPerSecond: 5_000 },
      true,
      "ours: 5,000 polls a second (wanted: at least 5,000 polls a second)",
    ],
    [{ claim: "it asked once", holds: false }, false, "it asked once"],
  ])("%j: %p", (goal, met, found) => {
    expect(judge(goal, table)).toEqual({ met, found });
  });

  test("that is either of two is met by one, and tells both", () => {
    const goals: Goal[] = [
      { of: "ours", mostMs: 1 },
      { of: "ours", mostMs: 100 },
    ];
    expect(judge({ anyOf: goals }, table)).toEqual({
      met: true,
      found: "ours: 20.0 ms (wanted: at most 1 ms): no; or ours: 20.0 ms (wanted: at most 100 ms): yes",
    });
  });

  test("of what was not measured is a mistake of the bench", () => {
    expect(() => judge({ of: "nobody", mostMs: 1 }, table)).toThrow("nobody was not measured");
  });

  test("of a way without a run is missed", () => {
    expect(judge({ of: "idle", mostMs: 1 }, { ...table, ways: [way("idle", [])] }).met).toBe(false);
  });
});
