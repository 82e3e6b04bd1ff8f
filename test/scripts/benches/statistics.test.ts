import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { growthOf } from "../../../scripts/benches/harness/growth.ts";
import { fitPower, median, overRounds, quantile } from "../../../scripts/benches/harness/statistics.ts";

describe("a quantile", () => {
  test.each([
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 2, 3], 0.5, 2.5],
    [[1, 2, 3, 4, 5], 0.25, 2],
    [[10, 20], 0.75, 17.5],
    [[7], 0.25, 7],
  ])("of %p at %p is %p", (values, share, wanted) => {
    expect(quantile(values, share)).toBe(wanted);
  });

  test("of nothing is no number", () => {
    expect(median([])).toBeNaN();
  });
});

test("a ratio is that of the same round: a slow round has no part in it", () => {
  const [ours, theirs] = [
    [10, 100, 10],
    [20, 200, 20],
  ];
  expect(overRounds(ours, theirs, (one, other) => one / other)).toBe(0.5);
});

describe("the exponent", () => {
  test("of a power is found, and all of it explained", () => {
    const power = { min: -2, max: 3, noNaN: true };
    fc.assert(
      fc.property(fc.double(power), fc.double({ min: 0.01, max: 1_000, noNaN: true }), (exponent, factor) => {
        const points = [1, 10, 50, 1_000].map((at) => ({ at, cost: factor * at ** exponent }));
        const fit = fitPower(points);
        expect(fit.exponent).toBeCloseTo(exponent, 6);
        if (Math.abs(exponent) > 0.01) expect(fit.r2).toBeCloseTo(1, 6);
      }),
    );
  });

  test("of what does not grow is none", () => {
    expect(fitPower([1, 10, 100].map((at) => ({ at, cost: 5 })))).toEqual({ exponent: 0, r2: 1 });
  });
});

describe("growth", () => {
  const line = (wanted: number | null, cost: (at: number) => number): Parameters<typeof growthOf>[0] => ({
    name: "x",
    role: "ours",
    wanted,
    points: [10, 100, 1_000, 3_000, 10_000].map((at) => ({ at, cost: cost(at) })),
  });

  test.each([
    ["linear, where it may be", 1, (at: number) => at, true],
    ["quadratic, where it may be linear", 1, (at: number) => at ** 2, false],
    ["flat, where it has to be", 0, () => 3, true],
    ["linear, where it has to be flat", 0, (at: number) => at, false],
    ["quadratic behind a start that hides it", 1, (at: number) => 10_000 + at ** 2 / 100, false],
  ])("%s", (_, wanted, cost, met) => {
    expect(growthOf(line(wanted, cost)).met).toBe(met);
  });

  test("nobody wants anything of is only shown", () => {
    expect(growthOf(line(null, (at) => at ** 3)).met).toBeNull();
  });
});
