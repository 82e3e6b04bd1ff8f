import { describe, expect, test } from "bun:test";
import { binaryNameOf, isSafeName, safeName } from "../../src/addons/names.ts";

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
  ];
  test.each(refused)("case 22: refused: %p", (name) => {
    expect(() => safeName(name, "addon_id")).toThrow(expect.objectContaining({ code: "unsafe_path" }));
  });

  test("a refused name is shown inert", () => {
    expect(() => safeName("a\u001b[2Jb\n::error::", "addon_id")).toThrow(/addon_id is "a \[2Jb : :error::"/u);
  });
});

const paths: [string, string][] = [
  ["/usr/bin/real", "real"],
  ["real", "real"],
  ["/usr/bin/real/", "real"],
  ["", "default"],
  ["/", "default"],
  ["..", "default"],
  ["/usr/..", "default"],
  ["/usr/bin/with space", "default"],
  ["/usr/bin/current", "default"],
  ["C:\\x.exe", "default"],
];
test.each(paths)("the executable of binary_path %p", (path, name) => {
  expect(binaryNameOf(path, "default")).toBe(name);
});
