import type { Intent } from "./next-write.ts";
import type { ReadBackRule } from "./read-back.ts";

/** How one promotion goes about it, the same in every environment of a run. */
export type PromotionRules = Intent & {
  /** Ceiling for one leg, in milliseconds; waiting for a conflict to pass has a budget of its own. */
  readonly timeoutMs: number;
  /** How long a 409 that can pass is waited for, in milliseconds. */
  readonly conflictBudgetMs: number;
  readonly retryIntervalMs: number;
  readonly readBack: Omit<ReadBackRule, "limitMs">;
  /** Read and judge, and write nothing. */
  readonly dryRun?: boolean;
  /** Write and read nothing after it: the outcome stays unproven. */
  readonly unverified?: boolean;
  /** Whether a newer build in the place of this one is a failure. */
  readonly superseded?: "ok" | "fail";
};
