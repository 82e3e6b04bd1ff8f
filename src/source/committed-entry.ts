import { CommitTree, type TreeEntry } from "./commit-tree.ts";
import type { Git } from "./git.ts";

/**
 * What HEAD has under a path, or null when that is nothing. `git` runs at the
 * top. Asked for `HEAD:path`, git would first look whether all of it is the name
 * of something else: behind `-g` the id of another commit, around `..` a range.
 */
export async function committedEntry(git: Git, path: string): Promise<TreeEntry | null> {
  const answer = await git.run(["ls-tree", "-z", "--full-tree", "HEAD", "--", path]);
  return answer.ok ? (new CommitTree(answer.stdout).entries[0] ?? null) : null;
}
