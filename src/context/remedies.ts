/**
 * What to do about a fact that is absent, by its reason; reasons without an entry are in order as they are, such as a
 * context at the top of its repository.
 */
const REMEDIES: Readonly<Record<string, string>> = {
  git_missing: "git is not installed; install it to record what only git knows",
  git_dubious_ownership:
    "git does not trust the owner of this folder; run: git config --global --add safe.directory <folder>",
  git_dir_missing: "the .git file points to a folder that is not here; mount the main repository too",
  git_timeout: "git took too long; give it more with --time-budget",
  git_index_unreadable: "git cannot read its index; look what git status says, and run: git reset",
  git_failed: "git failed; look what it says to: git status",
  context_not_tracked: "the repository around this folder does not track it",
  context_outside_repo: "the context lies outside the repository that --repo names",
  worktree_mismatch: "the repository's core.worktree points away from this folder",
  unborn_branch: "the branch has no commit yet",
  no_work_tree: "this is a bare repository or a .git folder",
  submodule_not_initialised: "the submodule is not checked out; run: git submodule update --init",
  filter_not_disabled:
    "a filter of the repository has a name that git cannot switch off, so git status was not run",
  detached_head: "no branch is checked out and no tag is at this commit",
  no_remote: "name where the code comes from: git remote add origin URL",
  ambiguous_remote: "several remotes and none is origin; set branch.<name>.remote, or rename one to origin",
  local_remote: "the remote is a folder of this machine, which says nothing elsewhere",
  unsupported_remote: "the remote's URL names no host and path that can be told without a risk",
  reftable_needs_git: "the repository keeps its refs in a table that only git reads; install git",
  git_files_unreadable: "the files of the repository cannot be read, and git is not installed to say more",
  shallow: "the clone is shallow; fetch more of the history",
  no_remote_branch: "there is no remote-tracking branch here to compare with; run: git fetch",
  unreadable: "a file or folder of the context cannot be read; make it readable or ignore it",
  unstable: "files changed during the capture; stop what writes them, or ignore them",
  name_not_utf8: "a file has a name that is not UTF-8; rename it",
  name_has_line_feed: "a file has a line feed in its name; rename it",
  ignore_file_invalid: "correct the ignore file: docker build refuses it too",
};

export function remedyFor(reason: string): string | null {
  return REMEDIES[reason] ?? null;
}
