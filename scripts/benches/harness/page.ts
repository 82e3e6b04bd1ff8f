/** docs/performance.md out of what the benches kept. */
import { exponent, megabytes, milliseconds, perSecond, times } from "./figures.ts";
import { growthOf } from "./growth.ts";
import { judge, walls, type Verdict } from "./judge.ts";
import { BENCHES, type Curve, type MeasuredWay, type Result, type Table } from "./result.ts";
import { median, overRounds, quantile } from "./statistics.ts";

/** With more ways of ours than this, each is put beside the first way of the table and not each beside each. */
const COLUMNS_OF_OURS = 3;

/** A longer table is to look something up in. */
const ROWS_SHOWN = 20;

/** `notes`: prose of each bench, without figures, which would grow old. */
export function performancePage(results: readonly Result[], notes: ReadonlyMap<string, string>): string {
  const parts = [notes.get("page") ?? "", summary(results)];
  for (const result of inOrder(results)) {
    parts.push(
      `## \`scripts/bench ${result.bench}\``,
      `${result.machine}; ${result.waybill}; ${result.measuredAt}.`,
      notes.get(result.bench) ?? "",
      `![${result.bench}, as plots](performance/${result.bench}.svg)`,
      ...result.tables.map(tableText),
      ...result.curves.map(curveText),
      ...result.skipped.map((what) => `Left out: ${what}, which was not to be had.`),
    );
  }
  return `${parts
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

function inOrder(results: readonly Result[]): Result[] {
  return BENCHES.flatMap((name) => results.filter(({ bench }) => bench === name));
}

function verdicts(result: Result): Verdict[] {
  const goals = result.tables.flatMap((table) => table.goals.map((goal) => judge(goal, table)));
  const growths = result.curves.flatMap(({ lines }) =>
    lines.flatMap((line) => {
      const { met, end } = growthOf(line);
      return met === null ? [] : [{ met, found: `${line.name}: exponent ${exponent(end.exponent)}` }];
    }),
  );
  return [...goals, ...growths];
}

/** Every goal counted, every miss by its name. */
function summary(results: readonly Result[]): string {
  const lines = ["| bench | goals met | missed |", "|---|---|---|"];
  for (const result of inOrder(results)) {
    const found = verdicts(result);
    const missed = found.filter(({ met }) => !met).map((verdict) => cell(verdict.found));
    const met = found.length === 0 ? "none set" : `${found.length - missed.length} of ${found.length}`;
    lines.push(`| [${result.bench}](#scriptsbench-${result.bench}) | ${met} | ${missed.join("; ")} |`);
  }
  return lines.join("\n");
}

export function tableText(table: Table): string {
  const rate = table.work === undefined ? [] : [`${table.work.unit} a second`];
  const ratios = ratioColumns(table);
  const heads = ["way", "median", "quartiles", "best", "processor", "memory", ...rate];
  const rows = table.ways.map((way) => {
    const shown = [way.role === "ours" ? `**${cell(way.name)}**` : cell(way.name), ...figures(way)];
    if (table.work !== undefined) shown.push(perSecond(table.work.amount / (median(walls(way)) / 1000)));
    return [...shown, ...ratios.map(({ of }) => of(way))];
  });
  const limits = table.ways.some(({ name }) => name.startsWith("at the least"));
  const rounds = table.ways[0]?.runs.length ?? 0;
  const shown = grid([...heads, ...ratios.map(({ head }) => head)], rows);
  const parts = [
    `### ${table.title}`,
    rows.length > ROWS_SHOWN
      ? `<details><summary>${rows.length} rows</summary>\n\n${shown}\n\n</details>`
      : shown,
    [
      `Of ${rounds} ${rounds === 1 ? "round" : "rounds"}.`,
      ...(limits ? ["“At the least” is what waybill cannot be quicker than."] : []),
      ...(table.costsOf === undefined ? [] : [`Processor time and memory are ${table.costsOf}.`]),
    ].join(" "),
    table.goals
      .map((goal) => judge(goal, table))
      .map(({ met, found }) => `- ${met ? "met" : "**missed**"}: ${found}`)
      .join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

type Column = { readonly head: string; readonly of: (way: MeasuredWay) => string };

/** How our ways stand to the others: each beside each where they are few, in pairs where the table says which. */
function ratioColumns({ ways }: Table): Column[] {
  const ratio = (one: MeasuredWay, other: MeasuredWay): string =>
    times(overRounds(walls(one), walls(other), (ours, theirs) => ours / theirs));
  const ours = ways.filter(({ role }) => role === "ours");
  if (ways.some(({ beside }) => beside !== undefined)) {
    const of = (way: MeasuredWay): string => {
      const pair = ours.find(({ name }) => name === way.beside);
      return pair === undefined ? "" : `${ratio(pair, way)} of it`;
    };
    return [{ head: "waybill takes", of }];
  }
  const [first] = ways;
  if (ours.length > COLUMNS_OF_OURS && first !== undefined) {
    return [{ head: `times ${first.name}`, of: (way) => (way === first ? "" : ratio(way, first)) }];
  }
  return ours.map((one) => ({
    head: ours.length === 1 ? "waybill takes" : `${cell(one.name.replace(/:.*$/u, ""))} takes`,
    of: (way) => (way.role === "ours" ? "" : `${ratio(one, way)} of it`),
  }));
}

function grid(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function figures(way: MeasuredWay): string[] {
  const all = walls(way);
  const quarter = (share: number): string => milliseconds(quantile(all, share)).replace(" ms", "");
  return [
    milliseconds(median(all)),
    `${quarter(0.25)}–${quarter(0.75)}`,
    milliseconds(Math.min(...all)),
    milliseconds(median(way.runs.map(({ cpu }) => cpu))),
    megabytes(Math.max(...way.runs.map(({ memory }) => memory))),
  ];
}

export function curveText({ title, over, unit = "ms", lines }: Curve): string {
  const points = lines[0]?.points ?? [];
  const heads = [over, ...points.map(({ at }) => perSecond(at)), "exponent", "r²", "at the end", "wanted"];
  const rows = lines.map((line) => {
    const { whole, end, met } = growthOf(line);
    const found = new Map(line.points.map(({ at, cost }) => [at, cost]));
    const costs = points.map(({ at }) => {
      const cost = found.get(at);
      if (cost === undefined) return "";
      return unit === "ms" ? milliseconds(cost) : `${cost.toPrecision(3)} ${unit}`;
    });
    const verdict = met === null ? "" : `${line.wanted}: ${met ? "met" : "**missed**"}`;
    const name = line.role === "ours" ? `**${cell(line.name)}**` : cell(line.name);
    return [name, ...costs, exponent(whole.exponent), whole.r2.toFixed(3), exponent(end.exponent), verdict];
  });
  return `### ${title}\n\n${grid(heads, rows)}\n\n${unit === "MB" ? "The most" : "The best"} of some rounds, and the exponent of that cost over ${over}: fitted to all points, and to those of the last decade.`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
