import { LIMITS } from "../base/limits.ts";
import type { GitMachine } from "../source/git-machine.ts";
import { bytesOf, shownText } from "./byte-path.ts";
import type { Warning } from "./capture-warnings.ts";
import { pathMembers } from "./git-document.ts";
import type { Health } from "./health.ts";

type PathMembers = ReturnType<typeof pathMembers>;

/** The health of a context as it stands in the capture document; null when it could not be read. */
export function healthDocument(health: Health | null): {
  readonly largest: readonly (PathMembers & { readonly size: number })[];
  readonly over_limit: boolean;
  readonly limit_bytes: number;
  readonly secrets: {
    readonly count: number;
    readonly found: readonly (PathMembers & { readonly kind: string })[];
    readonly unchecked: number;
  };
  readonly case_collisions: readonly PathMembers[];
} | null {
  if (health === null) return null;
  return {
    largest: health.largest.map(({ path, size }) => ({ ...pathMembers(bytesOf(path)), size })),
    over_limit: health.bytes > LIMITS.contextArchiveBytes,
    limit_bytes: LIMITS.contextArchiveBytes,
    secrets: {
      count: health.secrets.length,
      found: health.secrets.map(({ path, kind }) => ({ ...pathMembers(bytesOf(path)), kind })),
      unchecked: health.unchecked,
    },
    case_collisions: health.caseCollisions.map((path) => pathMembers(bytesOf(path))),
  };
}

/** This machine, as far as it may give the same commit another hash. */
export type Machine = { readonly platform: string; readonly umask: string; readonly git: GitMachine | null };

/** Facts that may differ between two captures of one commit, and explain why their hashes do. */
export function volatileDocument(
  { platform, umask, git }: Machine,
  health: Health | null,
): {
  readonly platform: string;
  readonly umask: string;
  readonly git_version: string | null;
  readonly autocrlf: string | null;
  readonly eol: string | null;
  readonly file_mode: string | null;
  readonly ignore_case: string | null;
  readonly precompose_unicode: string | null;
  readonly symlinks: string | null;
  readonly decomposed_names: number | null;
} {
  return {
    platform,
    umask,
    git_version: git?.gitVersion ?? null,
    autocrlf: git?.autocrlf ?? null,
    eol: git?.eol ?? null,
    file_mode: git?.fileMode ?? null,
    ignore_case: git?.ignoreCase ?? null,
    precompose_unicode: git?.precomposeUnicode ?? null,
    symlinks: git?.symlinks ?? null,
    decomposed_names: health?.decomposed ?? null,
  };
}

const NAMED = 5;

/** Names and numbers only: what is in such a file is nobody's to repeat. */
export function healthWarnings(health: Health): Warning[] {
  const warnings: Warning[] = [];
  const { secrets, bytes, caseCollisions } = health;
  if (secrets.length > 0) {
    const names = secrets.slice(0, NAMED).map(({ path }) => shownText(path));
    const more = secrets.length > NAMED ? ` and ${secrets.length - NAMED} more` : "";
    warnings.push({
      code: "secrets_shipped",
      message: `${secrets.length} of the files look like secrets: ${names.join(", ")}${more}; name them in the ignore file`,
    });
  }
  if (health.unchecked > 0) {
    warnings.push({
      code: "secrets_unchecked",
      message: `${health.unchecked} more files are named like secrets, and nobody looked into them`,
    });
  }
  if (bytes > LIMITS.contextArchiveBytes) {
    warnings.push({
      code: "context_too_large",
      message: `the context has ${bytes} bytes; the build API takes archives of ${LIMITS.contextArchiveBytes}`,
    });
  }
  if (caseCollisions[0] !== undefined) {
    warnings.push({
      code: "names_collide",
      message: `${shownText(caseCollisions[0])} has the name of another file where letter case does not count`,
    });
  }
  return warnings;
}
