/** What a bench found as one picture: a bar for each way, a line for each cost that grows. */
import { exponent, milliseconds, short } from "./figures.ts";
import { growthOf } from "./growth.ts";
import { walls } from "./judge.ts";
import type { Curve, Line, MeasuredWay, Result, Table } from "./result.ts";
import { median, quantile } from "./statistics.ts";
import { box, dot, drawing, path, words, type Shape } from "./svg.ts";

const WIDTH = 760;
const MARGIN = 24;
const INNER = WIDTH - 2 * MARGIN;
const ROW = 40;
const HEAD = 40;
/** A table of more rows is a list to look something up in, not a comparison. */
const MOST_BARS = 20;
const CHART = { left: 64, height: 280, foot: 44, legend: 22 };

type Panel = { readonly shapes: readonly Shape[]; readonly height: number };

export function plotOf({ bench, tables, curves }: Result): string {
  const shapes: Shape[] = [];
  let top = MARGIN / 2;
  const add = ({ shapes: more, height }: Panel): void => {
    shapes.push(...more);
    top += height + MARGIN;
  };
  for (const table of tables) if (table.ways.length <= MOST_BARS) add(bars(table, top));
  for (const curve of curves) add(chart(curve, top));
  return drawing(WIDTH, top, `scripts/bench ${bench}`, shapes);
}

/** From zero, so that the lengths are the times; the thin line is from the first to the third quartile. */
function bars({ title, ways }: Table, top: number): Panel {
  const most = Math.max(...ways.map((way) => Math.max(median(walls(way)), quantile(walls(way), 0.75))));
  const scale = INNER / most;
  const shapes = [words(MARGIN, top + 20, title, "ink title")];
  for (const [index, way] of ways.entries()) shapes.push(...bar(way, top + HEAD + index * ROW, scale));
  return { shapes, height: HEAD + ways.length * ROW };
}

function bar(way: MeasuredWay, y: number, scale: number): Shape[] {
  const all = walls(way);
  const took = median(all);
  const middle = y + 20;
  const ends = [0.25, 0.75].map((share) => [MARGIN + quantile(all, share) * scale, middle] as const);
  return [
    words(MARGIN, y + 9, way.name, "ink"),
    words(WIDTH - MARGIN, y + 9, milliseconds(took), "ink end"),
    box(MARGIN, y + 14, Math.max(1, took * scale), 12, way.role),
    path(ends, "whisker"),
  ];
}

type Scale = { readonly low: number; readonly high: number; readonly at: (value: number) => number };

/** Logarithmic both ways: a straight line is a power, and its slope the exponent. */
function chart({ title, over, unit = "ms", lines }: Curve, top: number): Panel {
  const points = lines.flatMap((line) => line.points);
  const [x0, x1] = [MARGIN + CHART.left, WIDTH - MARGIN - 16];
  const [y0, y1] = [top + HEAD + CHART.height, top + HEAD];
  const across = logarithmic(
    points.map(({ at }) => at),
    x0,
    x1,
  );
  const up = logarithmic(
    points.map(({ cost }) => cost),
    y0,
    y1,
  );
  const shapes = [words(MARGIN, top + 20, title, "ink title")];
  for (const tick of ticks(up)) {
    const y = up.at(tick);
    shapes.push(
      path(
        [
          [x0, y],
          [x1, y],
        ],
        "grid",
      ),
      words(x0 - 8, y + 4, short(tick), "soft small end"),
    );
  }
  for (const tick of ticks(across)) {
    const x = across.at(tick);
    shapes.push(
      path(
        [
          [x, y0],
          [x, y1],
        ],
        "grid",
      ),
      words(x, y0 + 18, short(tick), "soft small middle"),
    );
  }
  shapes.push(words(x1, y0 + 36, over, "soft end"), words(MARGIN, y1 - 4, unit, "soft small"));
  for (const [index, line] of lines.entries()) {
    const classes = classOf(line, index);
    const places = line.points.map(({ at, cost }) => [across.at(at), up.at(cost)] as const);
    shapes.push(path(places, classes), ...places.map(([x, y]) => dot(x, y, classes)));
    const y = y0 + CHART.foot + 14 + index * CHART.legend;
    const { whole, end } = growthOf(line);
    const fitted = `exponent ${exponent(whole.exponent)} (r² ${whole.r2.toFixed(3)}), at the end ${exponent(end.exponent)}`;
    shapes.push(box(MARGIN, y - 9, 18, 8, classes), words(MARGIN + 26, y, line.name, "ink"));
    shapes.push(words(WIDTH - MARGIN, y, fitted, "soft end"));
  }
  return { shapes, height: HEAD + CHART.height + CHART.foot + lines.length * CHART.legend };
}

function classOf({ role }: Line, index: number): string {
  if (role !== "ours") return `${role} dashed`;
  return index === 0 ? "ours" : `ours-${((index - 1) % 5) + 1}`;
}

/** Never less than a decade: noise must not look like growth. */
function logarithmic(values: readonly number[], from: number, to: number): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const widen = Math.max(1.2, Math.sqrt((10 * least) / most));
  const [low, high] = [least / widen, most * widen];
  const at = (value: number): number => from + ((to - from) * Math.log(value / low)) / Math.log(high / low);
  return { low, high, at };
}

/** Powers of ten, and twos and fives between them where there are few. */
function ticks({ low, high }: Scale): number[] {
  const decades = Array.from({ length: 24 }, (_, power) => 10 ** (power - 9));
  const steps = high / low > 2_000 ? [1] : [1, 2, 5];
  return decades
    .flatMap((decade) => steps.map((step) => decade * step))
    .filter((tick) => tick >= low && tick <= high);
}
