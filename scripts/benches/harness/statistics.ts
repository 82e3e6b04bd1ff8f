/** The few figures that stand for many runs. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two values that are in order it is a straight line. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** The median of what two ways have to do with each other in the same round. */
export function overRounds(
  ours: readonly number[],
  theirs: readonly number[],
  combine: (ours: number, theirs: number) => number,
): number {
  return median(ours.map((one, round) => combine(one, theirs[round] ?? Number.NaN)));
}

export type Fit = { readonly exponent: number; readonly r2: number };

/** cost ~ at^exponent: least squares over the logarithms. `r2` is 1 where all of it is explained, also by no growth. */
export function fitPower(points: readonly { readonly at: number; readonly cost: number }[]): Fit {
  const [xs, ys] = [points.map(({ at }) => Math.log(at)), points.map(({ cost }) => Math.log(cost))];
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  const sum = (term: (x: number, y: number) => number): number =>
    xs.reduce((total, x, index) => total + term(x - x0, (ys[index] ?? Number.NaN) - y0), 0);
  const exponent = sum((x, y) => x * y) / sum((x) => x * x);
  const spread = sum((_, y) => y * y);
  return { exponent, r2: spread === 0 ? 1 : 1 - sum((x, y) => (y - exponent * x) ** 2) / spread };
}
