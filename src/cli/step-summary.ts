import { printable } from "../base/printable.ts";

/** Characters of one cell. */
const CELL_CHARS = 400;

export type SummaryTable = {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/**
 * A title and one Markdown table, at most `maxBytes` long: rows that do not fit are counted in place of being shown.
 * Null when not even that fits.
 */
export function renderSummary(table: SummaryTable, maxBytes: number): string | null {
  const head = [
    `**${inert(table.title)}**`,
    "",
    `| ${table.columns.map(inert).join(" | ")} |`,
    `|${" --- |".repeat(table.columns.length)}`,
    "",
  ].join("\n");
  let text = head;
  // Everything is ASCII by then: a character is a byte.
  const room = maxBytes - tail(table.rows.length).length;
  let shown = 0;
  for (const row of table.rows) {
    const line = `| ${row.map(cell).join(" | ")} |\n`;
    if (text.length + line.length > room) break;
    text += line;
    shown++;
  }
  return text.length > room ? null : `${text}${tail(table.rows.length - shown)}`;
}

function tail(left: number): string {
  return left === 0 ? "\n" : `\n${left} more rows did not fit here.\n`;
}

/** Code, where neither mentions nor issue numbers nor links are looked for. */
function cell(text: string): string {
  return text === "" ? " " : `<code>${inert(text)}</code>`;
}

/**
 * Every character that could mean something to a Markdown reader, as a reference by number: such a reference is
 * text and never structure (CommonMark §2.5), so no pipe ends the cell and no `<` opens a tag.
 */
function inert(text: string): string {
  return printable(text, CELL_CHARS)
    .toWellFormed()
    .replace(/[^A-Za-z0-9 ]/gu, (character) => `&#${character.codePointAt(0) ?? 0xfffd};`);
}
