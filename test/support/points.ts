import { afterAll } from "bun:test";
import { appendFileSync } from "node:fs";

/**
 * Counts the points of one injection. `scripts/torture` names a file for the counts; without it they are only run.
 * A point is tried from its beginning on and survived at its end, so that one which throws, or never ends, is lost.
 */
export type Points = {
  readonly try: <T>(work: () => Promise<T>) => Promise<T>;
  /** The same for what waits for nothing. */
  readonly check: <T>(work: () => T) => T;
};

/** One line of the file. */
export type Counted = { readonly name: string; readonly tried: number; readonly survived: number };

/**
 * The points of an injection that the catalogue in `scripts/tortures` names. Call it once, at the top of a test file.
 */
export function pointsOf(name: string): Points {
  let tried = 0;
  let survived = 0;
  afterAll(() => {
    const log = process.env["WAYBILL_TORTURE_LOG"] ?? "";
    const line: Counted = { name, tried, survived };
    if (log !== "") appendFileSync(log, `${JSON.stringify(line)}\n`);
  });
  return {
    try: async (work) => {
      tried++;
      const result = await work();
      survived++;
      return result;
    },
    check: (work) => {
      tried++;
      const result = work();
      survived++;
      return result;
    },
  };
}
