import type { JsonMap } from "../base/json.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a system's variables say, before anything is cleaned; absent and empty mean that nothing is said. */
export type RawClaims = {
  readonly repo?: string | undefined;
  readonly commit?: string | undefined;
  /** The short name, where the system has its own; else it follows from the full one. */
  readonly ref?: string | undefined;
  readonly full?: string | undefined;
  readonly branch?: string | undefined;
  readonly tag?: string | undefined;
  readonly pullRequest?: RawPullRequest | null;
  readonly runId?: string | undefined;
  readonly run?: { readonly base: string | undefined; readonly suffix?: string } | undefined;
};

export type RawPullRequest = {
  readonly number?: string | undefined;
  readonly head?: string | undefined;
  readonly base?: string | undefined;
  readonly headRef?: string | undefined;
  readonly baseRef?: string | undefined;
  readonly headRepo?: string | undefined;
};

export type System = {
  readonly system: string;
  readonly detect: (env: Environment) => boolean;
  readonly read: (env: Environment, event: JsonMap | null) => RawClaims;
};

export function isTrue(name: string): System["detect"] {
  return (env) => env[name] === "true";
}

export function isSet(...names: readonly string[]): System["detect"] {
  return (env) => {
    for (const name of names) if ((env[name] ?? "") === "") return false;
    return true;
  };
}

/** `false` is how some systems say that there is no pull request. */
export function present(text: string | undefined): boolean {
  return text !== undefined && text !== "" && text !== "false";
}

export function digits(text: string | undefined): string | null {
  return text !== undefined && /^\d{1,18}$/u.test(text) ? text : null;
}
