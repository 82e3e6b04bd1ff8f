import { EXPLAINED_ADDONS } from "./explained-addons.ts";
import { EXPLAINED_CONTEXT } from "./explained-context.ts";
import { EXPLAINED_PINS } from "./explained-pins.ts";
import { EXPLAINED_SOURCE } from "./explained-source.ts";
import { EXPLAINED_TRUST } from "./explained-trust.ts";

/** Mutants that no test can kill, each with the reason. Read by people; what no longer survives has to go. */
export type Explained = {
  readonly file: string;
  /** Names as `scripts/mutate` prints them. */
  readonly mutants: readonly string[];
  readonly reason: string;
};

export const EXPLAINED: readonly Explained[] = [
  ...EXPLAINED_ADDONS,
  ...EXPLAINED_CONTEXT,
  ...EXPLAINED_PINS,
  ...EXPLAINED_SOURCE,
  ...EXPLAINED_TRUST,
];
