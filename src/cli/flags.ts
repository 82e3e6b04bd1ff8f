import type { ArgDef } from "citty";

/**
 * A citty argument, plus what citty lacks: a flag that may be
 * given several times, and a last positional that takes all words.
 */
export type Flag = ArgDef & { readonly repeat?: true; readonly rest?: true };
export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends { repeat: true } | { rest: true }
  ? readonly string[]
  : F extends { type: "boolean" }
    ? boolean
    : F extends { required: true } | { default: string }
      ? string
      : string | undefined;

/** The parsed values of a command's flags and positionals, by their names in kebab case. */
export type Values<F extends Flags> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Every command has these; `cli/run.ts` obeys them. */
export const COMMON_FLAGS: Flags = {
  json: { type: "boolean", description: "print one JSON document on standard output, also on failure" },
  quiet: { type: "boolean", alias: "q", description: "only errors on standard error" },
  verbose: {
    type: "boolean",
    alias: "v",
    description: "say more on standard error, with traces of internal faults",
  },
  help: { type: "boolean", alias: "h", description: "show this help" },
};
