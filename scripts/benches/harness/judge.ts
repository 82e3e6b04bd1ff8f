/** Whether a goal is met by what was measured, and in which words. */
import { megabytes, milliseconds, perSecond, times } from "./figures.ts";
import type { Goal, MeasuredWay, Table } from "./result.ts";
import { median, overRounds } from "./statistics.ts";

export type Verdict = { readonly met: boolean; readonly found: string };

export const walls = (way: MeasuredWay): number[] => way.runs.map(({ wall }) => wall);

/** Throws where a goal speaks of a way that was not measured: a mistake of the bench, not a missed goal. */
export function judge(goal: Goal, table: Table): Verdict {
  if ("anyOf" in goal) {
    const verdicts = goal.anyOf.map((one) => judge(one, table));
    return {
      met: verdicts.some(({ met }) => met),
      found: verdicts.map(({ found, met }) => `${found}: ${met ? "yes" : "no"}`).join("; or "),
    };
  }
  if ("claim" in goal) return { met: goal.holds, found: goal.claim };
  const find = (name: string): MeasuredWay => {
    const found = table.ways.find((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} was not measured`);
    return found;
  };
  const of = find(goal.of);
  const say = (value: number, met: boolean, what: string, wanted: string): Verdict => ({
    met: met && !Number.isNaN(value),
    found: `${goal.of}: ${what} (wanted: ${wanted})`,
  });
  if ("mostMegabytes" in goal) {
    const most = Math.max(...of.runs.map(({ memory }) => memory));
    return say(most, most <= goal.mostMegabytes, megabytes(most), `at most ${goal.mostMegabytes} MB`);
  }
  const took = median(walls(of));
  if ("mostMs" in goal) {
    return say(took, took <= goal.mostMs, milliseconds(took), `at most ${goal.mostMs} ms`);
  }
  if ("leastPerSecond" in goal) {
    const { amount, unit } = table.work ?? { amount: Number.NaN, unit: "" };
    const rate = amount / (took / 1000);
    const wanted = `at least ${perSecond(goal.leastPerSecond)} ${unit} a second`;
    return say(rate, rate >= goal.leastPerSecond, `${perSecond(rate)} ${unit} a second`, wanted);
  }
  const against = walls(find(goal.against));
  const pair = (what: string): string => `${what} ${goal.against}`;
  if ("mostMoreMs" in goal) {
    const more = overRounds(walls(of), against, (ours, theirs) => ours - theirs);
    const { mostMoreMs: most } = goal;
    return say(more, more <= most, pair(`${milliseconds(more)} more than`), `at most ${most} ms`);
  }
  if ("timesFaster" in goal) {
    const faster = overRounds(walls(of), against, (ours, theirs) => theirs / ours);
    const { timesFaster: least } = goal;
    return say(faster, faster >= least, pair(`${times(faster)} as fast as`), `at least ${least}×`);
  }
  const ratio = overRounds(walls(of), against, (ours, theirs) => ours / theirs);
  const most = Number(goal.most.toFixed(2));
  return say(ratio, ratio <= goal.most, pair(`${times(ratio)} the time of`), `at most ${most}×`);
}
