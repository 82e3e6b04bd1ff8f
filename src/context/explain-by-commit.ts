import { quoted } from "../base/printable.ts";
import { readCommitTree } from "../source/commit-tree.ts";
import { Git } from "../source/git.ts";
import { findWorkTree } from "../source/work-tree.ts";
import { readSubmodules } from "../source/submodules.ts";
import { shownText } from "./byte-path.ts";
import { alwaysIncluded, includedBy } from "./inclusion.ts";
import { departuresFrom, type Departure } from "./matches-commit.ts";
import type { FolderSource } from "./read-folder.ts";
import { objectFormatOf, type CapturedSource } from "./verify-source.ts";

/** The files that make a folder differ from a commit, by how they do. Paths are for people. */
export type CommitDifferences = Readonly<
  Record<"modified" | "mode_only" | "added" | "missing", readonly string[]>
>;

/** Why a folder differs from a capture, when the folder is a clone; null when git cannot tell. */
export type Explanation =
  | { readonly kind: "files"; readonly commit: string; readonly differences: CommitDifferences }
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
  const submodules = await readSubmodules(top, found.context.root, tree.value);
  const departures = departuresFrom(
    tree.value.entries,
    submodules.map((one) => ({ path: one.path, entries: one.tree?.entries ?? null })),
    found.items,
    (path) => !isIncluded(path),
  );
  return { kind: "files", commit, differences: byKind(departures) };
}

/** A submodule that differs is one that is modified: the commit knows it as one thing. */
const KINDS = {
  modified: "modified",
  submodule: "modified",
  mode_only: "mode_only",
  untracked: "added",
  missing: "missing",
} as const satisfies Readonly<Record<Departure["kind"], keyof CommitDifferences>>;

function byKind(departures: readonly Departure[]): CommitDifferences {
  const found = {
    modified: [] as string[],
    mode_only: [] as string[],
    added: [] as string[],
    missing: [] as string[],
  };
  for (const { kind, path } of departures) found[KINDS[kind]].push(shownText(path));
  return found;
}

/** The files of a comparison for a message: `modified "a", "b"; missing "c"`. */
export function describeDifferences(differences: CommitDifferences): string {
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
