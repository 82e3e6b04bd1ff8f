import type { CiClaims } from "./ci.ts";
import type { GitFacts } from "./git-facts.ts";
import type { Git } from "./git.ts";

/**
 * Whether a pull-request build has the proposed files checked out. The checked-out commit is mostly a merge that no
 * branch holds; when the target did not move, its tree is that of the proposed commit. Null when git cannot compare:
 * a shallow checkout has no more than the merge.
 */
export async function treeEqualsHead(git: Git, facts: GitFacts, ci: CiClaims): Promise<boolean | null> {
  const head = ci.pullRequest?.head ?? null;
  if (head === null || facts.object === null) return null;
  if (head === facts.commit.value) return true;
  const tree = await git.line(["rev-parse", "--verify", "--quiet", `${head}^{tree}`]);
  return tree === null ? null : tree === facts.object.tree;
}
