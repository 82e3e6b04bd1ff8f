/** Rows for a person at a terminal. The first cell of a row says in a word how it went, and is coloured by `tone`. */
export type Table = {
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** How many of the first cells say which row it is: the heading of its block in a narrow terminal. */
  readonly heading: number;
};
export type TableRow = { readonly cells: readonly string[]; readonly tone: "good" | "bad" | "notice" };

/** What the table is written to: its width in columns, and whether its owner wants colours. */
export type Paper = { readonly width: number; readonly coloured: boolean };

const GAP = "  ";
const COLOUR = { good: 32, bad: 31, notice: 33 } as const;

/** Aligned columns under their titles; where they do not fit, each row as a block of its own. */
export function renderTable(table: Table, paper: Paper): string {
  const lines = [table.columns, ...table.rows.map(({ cells }) => cells)];
  const widths = table.columns.map((_title, column) =>
    Math.max(...lines.map((cells) => Bun.stringWidth(cells[column] ?? ""))),
  );
  const total = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  if (total > paper.width) return table.rows.map((row) => block(table, row, paper)).join("");
  const aligned = (cells: readonly string[], paint: (first: string) => string): string =>
    cells
      .map((cell, column) => {
        const padded = cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell));
        return column === 0 ? paint(padded) : padded;
      })
      .join(GAP)
      .trimEnd();
  const head = aligned(table.columns, (title) => title);
  return [
    head,
    ...table.rows.map(({ cells, tone }) => aligned(cells, (first) => painted(first, tone, paper))),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** Lines without titles for standard output, whatever it is: cells below each other, nothing after the last. */
export function alignedLines(rows: readonly (readonly string[])[]): string {
  const width = (column: number): number =>
    Math.max(...rows.map((cells) => Bun.stringWidth(cells[column] ?? "")));
  const widths = Array.from({ length: Math.max(0, ...rows.map(({ length }) => length)) }, (_, at) =>
    width(at),
  );
  return rows
    .map((cells) =>
      cells.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell))).join(GAP),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

function block({ columns, heading }: Table, { cells, tone }: TableRow, paper: Paper): string {
  const [first = "", ...more] = cells.slice(0, heading);
  const titles = columns.slice(heading);
  const width = Math.max(...titles.map((title) => title.length));
  const lines = titles.map(
    (title, index) => `${GAP}${title.padEnd(width)}${GAP}${cells[heading + index] ?? ""}`,
  );
  return `${[[painted(first, tone, paper), ...more].join(" "), ...lines].join("\n")}\n`;
}

function painted(text: string, tone: TableRow["tone"], { coloured }: Paper): string {
  return coloured ? `\u001b[${COLOUR[tone]}m${text}\u001b[0m` : text;
}
