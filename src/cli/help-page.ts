/** How a page of help looks: 80 columns, whatever it is shown on, so that it reads the same in a log and a terminal. */

const WIDTH = 80;
const INDENT = "  ";
/** A longer label has a line of its own, so that the descriptions keep their room. */
const MAX_LABEL = 28;

/** A flag, argument, command or exit code, and what it is. */
export type Row = readonly [label: string, text: string];

/** What a terminal shows of a page beside its letters; `PLAIN` for everything else. */
export type Paint = Readonly<Record<"heading" | "label", (text: string) => string>>;

export const PLAIN: Paint = { heading: (text) => text, label: (text) => text };
export const COLOURED: Paint = {
  heading: (text) => `\u001b[4m\u001b[1m${text}\u001b[22m\u001b[24m`,
  label: (text) => `\u001b[36m${text}\u001b[39m`,
};

/** Words on lines that fit, those after the first indented. A few words in brackets at the end stay together. */
export function wrapped(text: string, indent = "", width: number = WIDTH): string {
  const [, before = text, brackets = ""] = /^(.*) (\([^()]{1,30}\))$/u.exec(text.trim()) ?? [];
  const words = before.trim().split(/ +/u);
  const lines: string[] = [];
  for (const word of brackets === "" ? words : [...words, brackets]) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(last === undefined ? word : indent + word);
  }
  return lines.join("\n");
}

/** A section of rows: labels at the left, what they mean beside them. */
export function rowSection(title: string, rows: readonly Row[], paint: Paint): string {
  const room = Math.min(MAX_LABEL, Math.max(...rows.map(([label]) => label.length)));
  const column = INDENT.length + room + INDENT.length;
  const lines = rows.map(([label, text]) => {
    const beside = label.length <= room;
    const start = `${INDENT}${paint.label(label)}${beside ? " ".repeat(room - label.length) + INDENT : ""}`;
    const told = wrapped(text, "", WIDTH - column).replaceAll("\n", `\n${" ".repeat(column)}`);
    return `${start}${beside || told === "" ? "" : `\n${" ".repeat(column)}`}${told}`.trimEnd();
  });
  return [paint.heading(title), "", ...lines].join("\n");
}

/** Commands that can be copied as they stand: a long one goes on behind a backslash, before a flag or a pipe. */
export function exampleSection(title: string, examples: readonly string[], paint: Paint): string {
  const lines = examples.map((example) => {
    const parts = example.split(/ (?=--|\| |> )/u);
    const broken: string[] = [];
    for (const part of parts) {
      const last = broken.at(-1);
      // Two columns for the backslash.
      if (last !== undefined && `${last} ${part}`.length + INDENT.length + 2 <= WIDTH) {
        broken[broken.length - 1] = `${last} ${part}`;
      } else broken.push(last === undefined ? part : `${INDENT}${part}`);
    }
    return broken.map((line) => INDENT + line).join(" \\\n");
  });
  return [paint.heading(title), "", ...lines].join("\n");
}

/** A row as citty renders it: `  label    text`. */
export function rowOf(line: string): Row {
  const [, label = "", text = ""] = /^ *(\S.*?) {4}(.*)$/u.exec(line) ?? [];
  return label === "" ? [line.trim(), ""] : [label, text.trim()];
}
