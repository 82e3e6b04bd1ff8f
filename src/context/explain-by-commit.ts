import { quoted } from "../base/printable.ts";
import { readCommitTree } from "../source/commit-tree.ts";
import { Git } from "../source/git.ts";
import { findWorkTree } from "../source/work-tree.ts";
import { alwaysIncluded, includedBy } from "./inclusion.ts";
import { bytePathOf } from "./byte-path.ts";
import type { FolderSource } from "./read-folder.ts";
import {
  compareTrees,
  objectFormatOf,
  treeLines,
  type CapturedSource,
  type TreeDifferences,
} from "./verify-source.ts";

/** Why a folder differs from a capture, when the folder is a clone; null when git cannot tell. */
export type Explanation =
  | { readonly kind: "files"; readonly commit: string; readonly differences: TreeDifferences }
  | { readonly kind: "other_commit"; readonly commit: string; readonly wanted: string };

/**
 * A capture that was exactly a commit has that commit's files. In a clone at the same commit they can be named; in a
 * clone at another one, that is the first thing to know.
 */
export async function explainByCommit(
  found: FolderSource,
  captured: CapturedSource,
  env: Readonly<Record<string, string | undefined>>,
  gitBudgetMs: number,
  stop: AbortSignal,
): Promise<Explanation | null> {
  const program = Git.find(env);
  if (program === null || captured.commit === null) return null;
  const git = new Git(program, found.context.root, env, gitBudgetMs, stop);
  const workTree = await findWorkTree(git, found.context.root);
  if (!workTree.ok) return null;
  const top = git.at(workTree.top);
  const commit = await top.line(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (commit === null) return null;
  if (commit !== captured.commit) return { kind: "other_commit", commit, wanted: captured.commit };
  if (!captured.matchesCommit || workTree.objectFormat !== objectFormatOf(captured)) return null;
  const tree = await readCommitTree(top, workTree.subpath);
  if (tree.value === null) return null;
  const { chosen } = found.context;
  const isIncluded =
    chosen === null ? (): boolean => true : includedBy(alwaysIncluded(chosen), chosen.ignoreLines);
  const committed = tree.value.entries
    .map(({ path, mode, id }) => ({ path: bytePathOf(path), mode, id }))
    .filter(({ path }) => isIncluded(path));
  return { kind: "files", commit, differences: compareTrees(committed, treeLines(found.items)) };
}

/** The files of a comparison for a message: `modified "a", "b"; missing "c"`. */
export function describeDifferences(differences: TreeDifferences): string {
  const shown = 5;
  return Object.entries(differences)
    .filter(([, paths]) => paths.length > 0)
    .map(([kind, paths]) => {
      const names = paths.slice(0, shown).map((path) => quoted(path));
      const more = paths.length > shown ? ` and ${paths.length - shown} more` : "";
      return `${kind.replace("_", " ")} ${names.join(", ")}${more}`;
    })
    .join("; ");
}
