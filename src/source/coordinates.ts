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

/** The facts that decide about the coordinates. */
type Observed = Pick<GitFacts, "repo" | "commit" | "ref" | "refFull" | "subpath" | "dirty">;

/** Git observed, CI only claims: a claim fills a field that git left open, and never a commit beside a work tree. */
export function coordinatesOf(git: Observed | AbsenceReason, ci: CiClaims | null): Coordinates {
  const claimedUrl = ci?.repo ?? null;
  const claimedRepo = claim(claimedUrl === null ? null : normaliseRemote(claimedUrl).repo);
  if (typeof git === "string") {
    const none = absent(git);
    const attributable = git !== "context_outside_repo" && git !== "worktree_mismatch";
    const claimed = ci !== null && attributable;
    return {
      source_repo: (claimed ? claimedRepo : null) ?? none,
      source_commit: (claimed ? claim(ci.commit) : null) ?? none,
      source_ref: (claimed ? claim(ci.ref) : null) ?? none,
      source_subpath: none,
      source_dirty: none,
    };
  }
  const attributed = git.commit.reason !== "context_not_tracked";
  const ref = observed(git.ref);
  const detached = git.ref.reason === "detached_head" && attributed && ci !== null;
  // The system's name for one commit says nothing about another one.
  const isThisCommit = ci?.commit === null || ci?.commit === git.commit.value;
  return {
    source_repo: (git.repo.value === null && attributed ? claimedRepo : null) ?? observed(git.repo),
    source_commit: observed(git.commit),
    source_ref: (detached && isThisCommit ? claim(ci.ref) : null) ?? ref,
    source_subpath: observed(git.subpath),
    source_dirty: observed(git.dirty),
  };
}

export type Mismatch = "repo" | "commit" | "ref";

/** What the CI system claims otherwise than git observed. What only one of them says is no mismatch. */
export function mismatchesOf(git: Observed, ci: CiClaims): Mismatch[] {
  const found: Mismatch[] = [];
  const repo = ci.repo === null ? null : normaliseRemote(ci.repo).repo;
  // Servers take the names of projects in any case, and CI variables often have the other one.
  if (differ(repo?.toLowerCase() ?? null, git.repo.value?.toLowerCase() ?? null)) found.push("repo");
  if (differ(ci.commit, git.commit.value)) found.push("commit");
  if (differ(ci.refFull, git.refFull.value)) found.push("ref");
  return found;
}

function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
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
