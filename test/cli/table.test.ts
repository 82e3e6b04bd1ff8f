import { describe, expect, test } from "bun:test";
import { alignedLines, renderTable, type Table } from "../../src/cli/table.ts";

const TABLE: Table = {
  columns: ["result", "environment", "outcome"],
  rows: [
    { cells: ["OK", "prod", "landed"], tone: "good" },
    { cells: ["FAILED", "日本", "a longer word"], tone: "bad" },
  ],
  heading: 2,
};
const PLAIN = { width: 80, coloured: false };

describe("a table", () => {
  test("has its columns under their titles, wide characters too, and no space at the end of a line", () => {
    expect(renderTable(TABLE, PLAIN)).toBe(
      "result  environment  outcome\nOK      prod         landed\nFAILED  日本         a longer word\n",
    );
  });

  test("colours the first cell alone, and that changes no column", () => {
    const coloured = renderTable(TABLE, { ...PLAIN, coloured: true });
    expect(coloured).toContain("\u001b[32mOK    \u001b[0m  prod");
    expect(coloured).toContain("\u001b[31mFAILED\u001b[0m  日本");
    expect(Bun.stripANSI(coloured)).toBe(renderTable(TABLE, PLAIN));
  });

  test("is a block a row where it does not fit", () => {
    expect(renderTable(TABLE, { ...PLAIN, width: 34 })).not.toContain("  outcome  landed");
    expect(renderTable(TABLE, { ...PLAIN, width: 33 })).toBe(
      "OK prod\n  outcome  landed\nFAILED 日本\n  outcome  a longer word\n",
    );
  });
});

test("lines without titles have their cells below each other, and nothing after the last", () => {
  const rows = [["a", "日本", "x", "later"], ["bcd", "e", ""], []];
  expect(alignedLines(rows)).toBe("a    日本  x  later\nbcd  e\n\n");
  expect(alignedLines([])).toBe("");
});
