import { expect, test } from "bun:test";
import { nearest } from "../../src/base/nearest.ts";

const NAMES = ["capture", "promote", "version", "verify", "key"];

const TABLE: [string, string | null][] = [
  ["capture", "capture"],
  ["captur", "capture"],
  ["captures", "capture"],
  ["cpature", "capture"],
  ["verison", "version"],
  ["promot", "promote"],
  ["very", "verify"],
  ["kye", "key"],
  ["frobnicate", null],
  ["", null],
  ["xxxxx", null],
];
test.each(TABLE)("%j is near %j", (word, wanted) => {
  expect(nearest(word, NAMES)).toBe(wanted);
});

test("without candidates there is none", () => {
  expect(nearest("capture", [])).toBe(null);
});

test("the nearer of two is taken", () => {
  expect(nearest("cat", ["cartx", "cart"])).toBe("cart");
});
