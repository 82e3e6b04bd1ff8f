import { Failure } from "../base/failure.ts";

/** Which files belong to a context. */
export const CONTEXT_FLAGS = {
  dockerfile: {
    type: "string",
    valueHint: "FILE",
    description: "the Dockerfile, also one outside the context",
  },
  "ignore-file": {
    type: "string",
    valueHint: "FILE",
    description: "the ignore file, in place of Docker's choice",
  },
  "no-ignore": { type: "boolean", description: "let no ignore file leave anything out" },
} as const;

/** For whoever asks git: the milliseconds of `parseDuration`. */
export const TIME_BUDGET_FLAG = {
  "time-budget": {
    type: "string",
    valueHint: "10s",
    default: "10s",
    description: "for all git calls together",
  },
} as const;

/** Throws Failure `flags_contradict`. */
export function refuseTwoIgnoreRules(flags: {
  readonly "no-ignore": boolean;
  readonly "ignore-file": string | undefined;
}): void {
  if (!flags["no-ignore"] || flags["ignore-file"] === undefined) return;
  throw new Failure("flags_contradict", "--no-ignore and --ignore-file contradict each other", {
    hint: "give one",
  });
}
