import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { printable } from "../../src/base/printable.ts";
import { renderSummary } from "../../src/cli/step-summary.ts";

const MARKDOWN = [
  "a | b",
  "\\| c",
  "`code` ``",
  "<img src=x onerror=alert(1)>",
  "</code></td></tr></table>",
  "[text](https://evil.example)",
  "![](https://evil.example/pixel)",
  "https://evil.example www.evil.example",
  "@everyone #1 :rocket: GH-1",
  "**bold** _it_ ~~gone~~ ^[note]",
  "&#124; &lt;b&gt; &amp;",
  "$x^2$ $$y$$",
  "\n\n# heading\n\n| x |\n| - |",
  "--- | ---",
  "{{ template }} {% raw %}",
];

const table = (...cells: readonly string[]): string =>
  renderSummary({ title: "a title", columns: cells.map(() => "column"), rows: [cells] }, 1_000_000) ?? "";

/** The texts of the cells, and every tag that a reader of Markdown would make. */
function read(markdown: string): { cells: string[]; tags: string[] } {
  const html = Bun.markdown.html(markdown, { autolinks: true, tables: true, strikethrough: true });
  const cells = [...html.matchAll(/<td[^>]*>(.*?)<\/td>/gsu)].map(([, cell = ""]) =>
    cell
      .replace(/<\/?code>/gu, "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&"),
  );
  return {
    cells,
    tags: [...new Set([...html.matchAll(/<\/?([a-z0-9]+)/gu)].map(([, tag = ""]) => tag))].sort(),
  };
}

const OWN_TAGS = ["code", "p", "strong", "table", "tbody", "td", "th", "thead", "tr"];

describe("text in a cell is text", () => {
  test.each(MARKDOWN)("%s", (text) => {
    const seen = read(table("before", text, "after"));
    expect(seen.cells).toEqual(["before", printable(text), "after"]);
    expect(seen.tags).toEqual(OWN_TAGS);
  });

  test("whatever it is", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.constantFrom(...MARKDOWN),
        (text, markdown) => {
          const cell = `x${text}${markdown}`;
          const seen = read(table("before", cell, "after"));
          expect(seen.cells).toHaveLength(3);
          expect(seen.cells[1]?.replace(/\s+/gu, " ")).toBe(
            printable(cell, 400).toWellFormed().replace(/\s+/gu, " "),
          );
          expect(seen.tags).toEqual(OWN_TAGS);
        },
      ),
    );
  });

  test("is ASCII on its way, so that a character is a byte", () => {
    expect(table("é😀\u202e")).toMatch(/^[\n -~]*$/u);
  });
});

describe("the ceiling", () => {
  const rows = Array.from({ length: 100 }, (_, index) => [String(index), "x"]);
  test.each([700, 1_000, 2_000])("of %d bytes cuts whole rows, and counts them", (maxBytes) => {
    const text = renderSummary({ title: "t", columns: ["a", "b"], rows }, maxBytes) ?? "";
    expect(text.length).toBeLessThanOrEqual(maxBytes);
    const shown = read(text.split("\n\n").slice(0, 2).join("\n\n")).cells.length / 2;
    expect(shown).toBeGreaterThan(0);
    expect(text).toEndWith(`\n${100 - shown} more rows did not fit here.\n`);
  });
  test("that leaves no room for the head leaves nothing", () => {
    expect(renderSummary({ title: "t", columns: ["a", "b"], rows }, 20)).toBe(null);
    expect(renderSummary({ title: "t", columns: ["a", "b"], rows }, -5)).toBe(null);
  });
});
