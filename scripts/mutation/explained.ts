/** Mutants that no test can kill, each with the reason. Read by people; what no longer survives has to go. */
export type Explained = {
  readonly file: string;
  /** Names as `scripts/mutate` prints them. */
  readonly mutants: readonly string[];
  readonly reason: string;
};

export const EXPLAINED: readonly Explained[] = [];
