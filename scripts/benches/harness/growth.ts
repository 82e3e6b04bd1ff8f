/** Whether a cost grows no faster than it should. */
import type { Line } from "./result.ts";
import { fitPower, type Fit } from "./statistics.ts";

/** How far above the wanted exponent noise may lift a fit. */
const TOLERANCE = 0.15;

/** `end` is the fit of the last decade: over all of it, what a start costs hides what grows. */
export type Growth = { readonly whole: Fit; readonly end: Fit; readonly met: boolean | null };

export function growthOf({ points, wanted }: Line): Growth {
  const largest = Math.max(...points.map(({ at }) => at));
  const whole = fitPower(points);
  const last = points.filter(({ at }) => at >= largest / 10);
  const end = fitPower(last.length > 1 ? last : points.slice(-2));
  const most = Math.max(whole.exponent, end.exponent);
  return { whole, end, met: wanted === null ? null : most <= wanted + TOLERANCE };
}
