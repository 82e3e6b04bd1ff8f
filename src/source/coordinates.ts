import type { CiClaims } from "./ci.ts";
import type { GitFacts } from "./git-facts.ts";
import type { AbsenceReason, Known } from "./known.ts";
import { normaliseRemote } from "./remote.ts";

/** One source field: its value, who said it, and why it is absent when it is. */
export type Field<T extends string | boolean> =
  | { readonly value: T; readonly source: "git" | "ci" | "context"; readonly reason: null }
  | { readonly value: null; readonly source: "none"; readonly reason: string };

/** The coordinates of the source, under the names of the build API. */
export type Coordinates = {
  readonly source_repo: Field<string>;
  readonly source_commit: Field<string>;
  readonly source_ref: Field<string>;
  readonly source_subpath: Field<string>;
  readonly source_dirty: Field<boolean>;
};

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;

/** Git observed, CI only claims: a claim fills a field that git left open, and never a commit beside a work tree. */
export function coordinatesOf(git: GitFacts | AbsenceReason, ci: CiClaims | null): Coordinates {
  const claimedUrl = ci?.repo ?? null;
  const claimedRepo = claim(claimedUrl === null ? null : normaliseRemote(claimedUrl).repo);
  if (typeof git === "string") {
    const none = absent(git);
    const attributable = git !== "context_outside_repo" && git !== "worktree_mismatch";
    const claimed = ci !== null && attributable;
    const commit = claimed && ci.commit !== null && COMMIT.test(ci.commit) ? claim(ci.commit) : null;
    return {
      source_repo: (claimed ? claimedRepo : null) ?? none,
      source_commit: commit ?? none,
      source_ref: (claimed ? claim(ci.ref) : null) ?? none,
      source_subpath: none,
      source_dirty: none,
    };
  }
  const attributed = git.commit.reason !== "context_not_tracked";
  const ref = observed(git.ref);
  const detached = git.ref.reason === "detached_head" && attributed && ci !== null;
  return {
    source_repo: (git.repo.value === null && attributed ? claimedRepo : null) ?? observed(git.repo),
    source_commit: observed(git.commit),
    source_ref: (detached ? claim(ci.ref) : null) ?? ref,
    source_subpath: observed(git.subpath),
    source_dirty: observed(git.dirty),
  };
}

function observed<T extends string | boolean>(fact: Known<T>): Field<T> {
  return fact.reason === null ? { value: fact.value, source: "git", reason: null } : absent(fact.reason);
}

function claim(value: string | null): Field<string> | null {
  return value === null ? null : { value, source: "ci", reason: null };
}

function absent(reason: string): { readonly value: null; readonly source: "none"; readonly reason: string } {
  return { value: null, source: "none", reason };
}
