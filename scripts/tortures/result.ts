/** What a run of one group came to; kept as counts/NAME.json, so that one group can be run again alone. */
export type Row = {
  readonly name: string;
  readonly tried: number;
  readonly survived: number;
};

export type Machine = {
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
};

export type Result = {
  readonly group: string;
  /** The day, in UTC. */
  readonly date: string;
  readonly version: string;
  readonly machine: Machine;
  readonly seconds: number;
  readonly rows: readonly Row[];
  /** Names of the group that gave no count, because they did not end, or not here. */
  readonly missing: readonly string[];
  /** Tests that failed, those of lost points among them. */
  readonly failedTests: readonly string[];
};

export const RESULTS = "scripts/tortures/counts";
export const PAGE = "docs/reliability.md";

export function lost(row: Row): number {
  return row.tried - row.survived;
}

export function isGood({ rows, missing, failedTests }: Result): boolean {
  const isWhole = rows.every((row) => lost(row) === 0) && missing.length === 0;
  return isWhole && failedTests.length === 0;
}
