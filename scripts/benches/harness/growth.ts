/** Whether a cost grows no faster than it should. */
import type { Line } from "./result.ts";
import { fitPower, type Fit } from "./statistics.ts";

/** How far above the wanted exponent noise may lift a fit: of all points, and of the few of the last decade. */
const TOLERANCE = { whole: 0.15, end: 0.25 };

/** `end` is the fit of the last decade: over all of it, what a start costs hides what grows. */
export type Growth = { readonly whole: Fit; readonly end: Fit; readonly met: boolean | null };

export function growthOf({ points, wanted }: Line): Growth {
  const largest = Math.max(...points.map(({ at }) => at));
  const whole = fitPower(points);
  const last = points.filter(({ at }) => at >= largest / 10);
  const end = fitPower(last.length > 1 ? last : points.slice(-2));
  if (wanted === null) return { whole, end, met: null };
  const met = whole.exponent <= wanted + TOLERANCE.whole && end.exponent <= wanted + TOLERANCE.end;
  return { whole, end, met };
}
