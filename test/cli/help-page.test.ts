import { describe, expect, test } from "bun:test";
import { COLOURED, exampleSection, PLAIN, rowOf, rowSection, wrapped } from "../../src/cli/help-page.ts";

describe("a page of help", () => {
  test.each<[string, string, string]>([
    ["goes on indented below", wrapped("one two three", "  ", 8), "one two\n  three"],
    ["keeps a word that is longer", wrapped("a verylongword b", "", 4), "a\nverylongword\nb"],
    ["keeps what is in brackets at its end", wrapped("aa bb (cc dd)", "", 10), "aa bb\n(cc dd)"],
  ])("a text %s", (_what, found, wanted) => {
    expect(found).toBe(wanted);
  });

  test("labels stand at the left, a long one alone, and descriptions below each other", () => {
    const long = `--${"x".repeat(30)}`;
    const rows = [["-q, --quiet", "q ".repeat(40)] as const, [long, "l"] as const];
    expect(rowSection("OPTIONS", rows, PLAIN).split("\n")).toEqual([
      "OPTIONS",
      "",
      `  -q, --quiet${" ".repeat(19)}${"q ".repeat(24).trim()}`,
      `${" ".repeat(32)}${"q ".repeat(16).trim()}`,
      `  ${long}`,
      `${" ".repeat(32)}l`,
    ]);
  });

  test("a long example goes on behind a backslash, before a flag or a pipe", () => {
    const example = `waybill x ${"--flag value ".repeat(6)}| tee log`;
    const shown = exampleSection("EXAMPLES", [example], PLAIN);
    expect(shown.split("\n").every((line) => line.length <= 80)).toBe(true);
    expect(shown.replaceAll(/ \\\n +/gu, " ")).toBe(`EXAMPLES\n\n  ${example}`);
  });

  test("colours change nothing but the colours", () => {
    const rows = [["--json", "what it prints"] as const];
    const coloured = rowSection("OPTIONS", rows, COLOURED);
    expect(coloured).toContain("\u001b[");
    expect(Bun.stripANSI(coloured)).toBe(rowSection("OPTIONS", rows, PLAIN));
  });

  test.each([
    ["      --json    one document   ", ["--json", "one document"]],
    ["  -q, --quiet    only errors (Default: no)", ["-q, --quiet", "only errors (Default: no)"]],
    ["  CONTEXT", ["CONTEXT", ""]],
  ])("a row of citty, %j", (line, row) => {
    expect<readonly string[]>(rowOf(line)).toEqual(row);
  });
});
