import { describe, expect, test } from "bun:test";
import { binaryNameOf, isBundleName, isSafeName, safeName } from "../../src/addons/names.ts";
import { refusalOf } from "../trust/refusal.ts";

describe("safe names", () => {
  test.each(["a", "sample", "1.2.3-rc.1+build", "A_b", "x".repeat(128), "2026.05.1", "current.new"])(
    "%p",
    (name) => {
      expect(isSafeName(name)).toBe(true);
    },
  );

  const refused = [
    "",
    ".",
    "..",
    "../../etc",
    "a/b",
    "a\\b",
    "/etc",
    "-rf",
    ".hidden",
    "a\u0000b",
    "a\nb",
    "a b",
    " a",
    "a ",

    "a.",
    "x".repeat(129),
    "%2e%2e/x",
    "caf\u00e9",
    "cafe\u0301",
    "a\u202eb",
    "a:b",
    "a*",
    "~root",
    "+a",
    "_a",
    "current",
    "versions",
    "state",
    "tmp",
    "lock",
    "Current",
    "artifact.bin",
    "artifact.tar.gz",
    "artifact.tar.zst",
    "assignments.json",
  ];
  test.each(refused)("case 22: refused: %p", (name) => {
    expect(() => safeName(name, "addon_id")).toThrow(expect.objectContaining({ code: "unsafe_path" }));
  });

  const rows: [string, string][] = [
    ["", "the id is empty; wanted"],
    ["a/b", 'the id is "a/b"; wanted'],
    ["Current", 'the id is "Current", which is reserved; wanted'],
  ];
  test.each(rows)("why %p is refused", (text, message) => {
    expect(refusalOf(() => safeName(text, "the id")).message).toContain(message);
  });

  test.each([
    ["a@.service", true],
    ["a@b", true],
    ["a", true],
    ["@", false],
    ["@a", false],
    ["a@/", false],
    ["", false],
    [".a@", false],
  ])("of a file of a bundle, %p may have the sign of a template: %p", (name, isOne) => {
    expect(isBundleName(name)).toBe(isOne);
  });

  test("a refused name is shown inert", () => {
    expect(() => safeName("a\u001b[2Jb\n::error::", "addon_id")).toThrow(/addon_id is "a \[2Jb : :error::"/u);
  });
});

const paths: [string, string | null][] = [
  ["/usr/bin/real", "real"],
  ["real", "real"],
  ["/usr/bin/real/", "real"],
  ["/usr/bin/real///", "real"],
  ["", null],
  ["/", null],
  ["..", null],
  ["/usr/..", null],
  ["/usr/bin/with space", null],
  ["/usr/bin/current", null],
  ["C:\\x.exe", null],
];
test.each(paths)("the executable of binary_path %p", (path, name) => {
  expect<string | null>(binaryNameOf(path)).toBe(name);
});
