/**
 * What one bench found, as it is kept in docs/performance/NAME.json: raw figures; everything else follows from them.
 */

/** A `limit` is what no program can be quicker than: the bytes read, hashed in memory, or one wait for the disk. */
export type Role = "ours" | "peer" | "limit";

/** One run: milliseconds of wall and of processor time, largest resident set in MB of 2^20 bytes. */
export type Run = { readonly wall: number; readonly cpu: number; readonly memory: number };

export type MeasuredWay = {
  readonly name: string;
  readonly role: Role;
  /** The way of ours that does the same, where a table has several pairs. */
  readonly beside?: string;
  readonly runs: readonly Run[];
};

/** What each run of every way of a table does, in a unit that the table then tells for each second: MB, requests. */
export type Work = { readonly amount: number; readonly unit: string };

/** A ratio is the median of those of each round: what slows a whole round down has no part in it. */
export type Goal =
  | { readonly of: string; readonly against: string; readonly most: number }
  | { readonly of: string; readonly against: string; readonly timesFaster: number }
  | { readonly of: string; readonly against: string; readonly mostMoreMs: number }
  | { readonly of: string; readonly mostMs: number }
  | { readonly of: string; readonly mostMegabytes: number }
  | { readonly of: string; readonly leastPerSecond: number }
  | { readonly claim: string; readonly holds: boolean }
  | { readonly anyOf: readonly Goal[] };

export type Table = {
  readonly title: string;
  readonly work?: Work;
  readonly ways: readonly MeasuredWay[];
  readonly goals: readonly Goal[];
  /** Whose processor time and memory it is, where it is not the measured process. */
  readonly costsOf?: string;
};

/** `cost` in milliseconds unless the curve's `unit` says otherwise: the best of some runs, which nobody disturbed. */
export type Point = { readonly at: number; readonly cost: number };

/** `wanted`: the exponent that the cost may have over what grows; null where it is only shown. */
export type Line = {
  readonly name: string;
  readonly role: Role;
  readonly wanted: number | null;
  readonly points: readonly Point[];
};

export type Curve = {
  readonly title: string;
  /** What grows, as the axis says it: files, MB, hosts. */
  readonly over: string;
  readonly unit?: string;
  readonly lines: readonly Line[];
};

export type Result = {
  readonly bench: string;
  /** RFC 3339, to the second. */
  readonly measuredAt: string;
  readonly waybill: string;
  readonly machine: string;
  readonly tables: readonly Table[];
  readonly curves: readonly Curve[];
  readonly skipped: readonly string[];
};

/** In the order of the page. */
export const BENCHES = [
  "capture",
  "archive",
  "promote",
  "stage",
  "stage-bundle",
  "stage-unchanged",
  "verify",
  "start",
  "serve",
  "growth",
] as const;
