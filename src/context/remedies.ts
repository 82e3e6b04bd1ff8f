import type { AbsenceReason } from "../source/known.ts";
import type { EqualTrees } from "../source/pull-request.ts";
import type { Pushed } from "../source/pushed.ts";
import type { ContextProblem } from "./capture-context.ts";

type Reason =
  | AbsenceReason
  | NonNullable<Pushed["reason"]>
  | ContextProblem
  | NonNullable<EqualTrees["reason"]>
  | "context_empty"
  | "name_not_utf8"
  | "name_has_line_feed"
  | "not_asked"
  | "no_archive";

/** Why a fact is absent and what to do about it, in one line; null where it is in order as it is. */
const REMEDIES: Readonly<Record<Reason, string | null>> = {
  not_a_repository: "capture a clone, or name the work tree with --repo, to record where the code comes from",
  git_missing: "git is not installed; install it to record what only git knows",
  git_dubious_ownership:
    "git does not trust the owner of this folder; run: git config --global --add safe.directory <folder>",
  git_dir_missing: "the .git file points to a folder that is not here; mount the main repository too",
  git_timeout: "git took too long; give it more with --time-budget",
  git_index_unreadable: "git cannot read its index; look what git status says, and run: git reset",
  git_failed: "git failed; look what it says to: git status",
  git_files_unreadable: "the files of the repository cannot be read, and git is not installed to say more",
  context_not_tracked:
    "the repository around this folder does not track it; commit it there, or capture a clone of its own",
  context_outside_repo:
    "the context lies outside the repository that --repo names; name the one that it lies in",
  worktree_mismatch:
    "the repository's core.worktree points away from this folder; run: git config --unset core.worktree",
  no_work_tree: "this is a bare repository or a .git folder; capture a clone of it",
  unborn_branch: "the branch has no commit yet; run: git commit",
  no_commit: "the branch has no commit yet; run: git commit",
  submodule_not_initialised: "the submodule is not checked out; run: git submodule update --init",
  filter_not_disabled:
    "a filter of the repository has a name that git cannot switch off, so git status was not run; rename it",
  detached_head: "no branch is checked out and no tag is at this commit; run: git switch <branch>",
  no_remote: "name where the code comes from: git remote add origin URL",
  ambiguous_remote: "several remotes and none is origin; set branch.<name>.remote, or rename one to origin",
  local_remote:
    "the remote is a folder of this machine, which says nothing elsewhere; run: git remote set-url origin URL",
  unsupported_remote:
    "the remote's URL names no host and path that can be told without a risk; set a plain https or ssh URL",
  reftable_needs_git: "the repository keeps its refs in a table that only git reads; install git",
  at_top_level: null,
  shallow: "the clone is shallow; fetch more of the history",
  no_remote_branch: "there is no remote-tracking branch here to compare with; run: git fetch",
  head_not_claimed: "the CI system does not name the proposed commit",
  head_not_here: "the proposed commit is not here; fetch more than the merge, such as with a depth of 2",
  unreadable: "a file or folder of the context cannot be read; make it readable or ignore it",
  unstable: "files changed during the capture; stop what writes them, or ignore them",
  ignore_file_invalid: "correct the ignore file: docker build refuses it too",
  context_empty: "the context holds no file; look what its ignore file leaves out",
  name_not_utf8: "a file has a name that is not UTF-8; rename it",
  name_has_line_feed: "a file has a line feed in its name; rename it",
  not_asked: "it was not asked for; name it with --digest",
  no_archive: "it is the archive's; ask for one with --archive",
};

export function remedyFor(reason: string): string | null {
  return isReason(reason) ? REMEDIES[reason] : null;
}

function isReason(reason: string): reason is Reason {
  return Object.hasOwn(REMEDIES, reason);
}
