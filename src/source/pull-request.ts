import type { CiClaims } from "./ci.ts";
import type { GitFacts } from "./git-facts.ts";
import { textOf, type Git } from "./git.ts";
import type { AbsenceReason } from "./known.ts";

export type EqualTrees =
  | { readonly value: boolean; readonly reason: null }
  | { readonly value: null; readonly reason: AbsenceReason | "head_not_claimed" | "head_not_here" };

/**
 * Whether a pull-request build has the proposed files checked out. The checked-out commit is mostly a merge that no
 * branch holds; when the target did not move, its tree is that of the proposed commit. Unknown when git cannot
 * compare: a shallow checkout has no more than the merge.
 */
export async function treeEqualsHead(git: Git, facts: GitFacts, ci: CiClaims): Promise<EqualTrees> {
  const head = ci.pullRequest?.head ?? null;
  if (head === null) return { value: null, reason: "head_not_claimed" };
  if (facts.commit.value === null) return { value: null, reason: facts.commit.reason };
  if (facts.object === null) return { value: null, reason: "git_failed" };
  if (head === facts.commit.value) return { value: true, reason: null };
  const tree = await git.run(["rev-parse", "--verify", "--quiet", `${head}^{tree}`]);
  if (tree.ok) return { value: textOf(tree.stdout).trimEnd() === facts.object.tree, reason: null };
  return { value: null, reason: tree.code === 1 ? "head_not_here" : tree.reason };
}
