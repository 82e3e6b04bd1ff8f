import type { GitReason } from "./git.ts";

/** Why a fact about the source is absent. Stable codes, part of the capture document. */
export type AbsenceReason =
  | GitReason
  | "git_files_unreadable"
  | "reftable_needs_git"
  | "no_work_tree"
  | "worktree_mismatch"
  | "context_outside_repo"
  | "context_not_tracked"
  | "submodule_not_initialised"
  | "filter_not_disabled"
  | "unborn_branch"
  | "detached_head"
  | "no_remote"
  | "ambiguous_remote"
  | "local_remote"
  | "unsupported_remote"
  | "at_top_level";

type Absent = { readonly value: null; readonly reason: AbsenceReason };

/** A fact, or why there is none. */
export type Known<T> = { readonly value: T; readonly reason: null } | Absent;

export function known<T>(value: T): Known<T> {
  return { value, reason: null };
}

export function absent(reason: AbsenceReason): Absent {
  return { value: null, reason };
}
