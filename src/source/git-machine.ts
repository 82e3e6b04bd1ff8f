import { setting, type Settings } from "./remote-choice.ts";

/** What may make the same commit come out with other bytes on another machine. */
export type GitMachine = {
  readonly gitVersion: string | null;
  readonly autocrlf: string | null;
  readonly eol: string | null;
  readonly fileMode: string | null;
  readonly ignoreCase: string | null;
  readonly precomposeUnicode: string | null;
  readonly symlinks: string | null;
};

/** `version` is what `git version` prints; null without git. */
export function machineOf(settings: Settings, version: string | null): GitMachine {
  return {
    gitVersion: version?.replace(/^git version /u, "") ?? null,
    autocrlf: setting(settings, "core.autocrlf"),
    eol: setting(settings, "core.eol"),
    fileMode: setting(settings, "core.filemode"),
    ignoreCase: setting(settings, "core.ignorecase"),
    precomposeUnicode: setting(settings, "core.precomposeunicode"),
    symlinks: setting(settings, "core.symlinks"),
  };
}
