import { expect, test } from "bun:test";
import fc from "fast-check";
import { compareVersions } from "../../src/source/version-order.ts";

test("versions are in the order in which they came out", () => {
  const ordered = [
    "a2",
    "b1",
    "nightly",
    "v0.9",
    "v1.0-alpha",
    "v1.0-rc1",
    "v1.0-rc2",
    "v1.0-rc10",
    "v1.0",
    "v1.0.1",
    "v1.02",
    "v1.2",
    "v1.10",
    "v10",
    `v${"9".repeat(40)}`,
  ];
  expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
});

test("of two spellings of one version the first by character is before the other", () => {
  expect(compareVersions("v1.02", "v1.2")).toBeLessThan(0);
  expect(compareVersions("v1.2", "v1.02")).toBeGreaterThan(0);
  expect(compareVersions("v1.2", "v1.2")).toBe(0);
});

const name = fc.stringMatching(/^[v0-9.~-]{0,8}$/u);

test("the order is total: no name comes before itself, and two orders agree", () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      expect(compareVersions(a, b) === 0).toBe(a === b);
    }),
  );
  fc.assert(
    fc.property(fc.uniqueArray(name), (names) => {
      const sorted = [...names].sort(compareVersions);
      expect([...names].reverse().sort(compareVersions)).toEqual(sorted);
    }),
  );
});
