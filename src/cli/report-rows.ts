import type { Failure } from "../base/failure.ts";

/** What CI systems are told beside the result itself. A command makes it, `ci-report.ts` writes it. */
export type Report = {
  /** Headings of the summary table, in the order of `cells`. */
  readonly columns: readonly string[];
  readonly rows: readonly ReportRow[];
  /** Beside `ok`, `exit_code` and `outcome`, which every report has. */
  readonly outputs: readonly StepOutput[];
  /** One word for all rows. */
  readonly outcome: string;
};

/** One part of a run that stands or falls by itself, such as a pin in an environment. */
export type ReportRow = {
  /** Unique within the report. */
  readonly name: string;
  /** What several rows have in common, such as their environment. */
  readonly group: string;
  readonly cells: readonly string[];
  /** A plan that would change something did not fail and proved nothing. */
  readonly isProven: boolean;
  readonly failure: Failure | null;
  readonly ms: number;
  /** Lines for those who want to know how it went. */
  readonly details: readonly string[];
};

/** A value for later steps of a job. What does not match its grammar is a fault of ours and is not written. */
export type StepOutput = { readonly name: string; readonly value: string; readonly grammar: RegExp };
