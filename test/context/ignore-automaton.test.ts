import { expect, test } from "bun:test";
import { compilePattern } from "../../src/context/ignore-pattern.ts";

// Anchors are a step each.
test.each<[string, number]>([
  ["", 2],
  ["\\d", 3],
  ["?", 3],
  ["*", 4],
  ["x**/y", 8],
  ["\\b", 3],
  ["|", 3],
  ["||\\b", 5],
  ["\\d{0}", 2],
  ["\\d{2}", 4],
  ["\\d{1,3}", 7],
  ["\\d{2,}", 6],
  ["\\d{2}\\Q\\E{1,3}", 10],
  ["\\d{2}\\Q\\E{2,}", 9],
])("%p has %i steps; more than 100,000 are refused, Docker stops at some millions", (pattern, steps) => {
  const beside = 100_000 - steps;
  const some = "\\d{1000}".repeat(Math.floor(beside / 1000));
  expect(compilePattern(`${some}\\d{${beside % 1000}}${pattern}`)).not.toBeNull();
  expect(compilePattern(`${some}\\d{${(beside % 1000) + 1}}${pattern}`)).toBeNull();
});

test("a pattern that stalls a backtracking engine is answered", () => {
  const name = "a".repeat(500);
  for (const pattern of [`${"*a".repeat(40)}*b`, `${"**a".repeat(40)}b`, "?{90}*?{90}*b", "*a?{30}b"]) {
    expect(compilePattern(pattern)?.(name)).toBe(false);
  }
  expect(compilePattern(`${"*a".repeat(40)}*`)?.(name)).toBe(true);
});

test("states are dropped and made again when there are too many", () => {
  // After each character another one, which holds a position more.
  const test = compilePattern("x|*?{1000}?{1000}b");
  expect(test?.("a".repeat(1_500))).toBe(false);
  expect(test?.("x")).toBe(true);
  expect(test?.(`${"a".repeat(20)}b`)).toBe(false);
}, 60_000);
