import type { Git } from "../source/git.ts";
import { travellingNames, without, type ToldBuildFiles } from "./archive-comparison.ts";
import { alwaysIncluded, includedBy, shownBuildFile, type Inclusion } from "./inclusion.ts";
import type { BytePath } from "./byte-path.ts";
import { inclusionAsCaptured, inclusionAsListed } from "./commit-context.ts";
import { treeOperand, type Files, type Operand } from "./diff-operand.ts";
import {
  differenceOf,
  leavesOfCommit,
  leavesOfItems,
  type Leaf,
  type TreeDifference,
} from "./tree-difference.ts";
import type { CapturedSource } from "./verify-source.ts";

/** One side of a comparison, read. */
export type Side = {
  readonly operand: Operand;
  /** Null for what git or a capture lists. */
  readonly files: Files | null;
};

/** How commits are read: `git` runs in their repository. */
export type CommitReading = { readonly git: Git | null; readonly noIgnore: boolean };

/** A side with its files, and the capture that they belong to. */
type Listed = Side & { readonly captured: CapturedSource | null };

/** Which files make two sides differ; null where a side is a capture whose files nobody here has. */
export async function differenceOfSides(
  left: Side,
  right: Side,
  reading: CommitReading,
): Promise<TreeDifference | null> {
  const [one, other] = [await listed(left, reading), await listed(right, reading)];
  if (one === null || other === null) return null;
  const a = await leavesOf(one, other, reading);
  const b = await leavesOf(other, one, reading);
  // What gave way in an archive to a build file of that name is nothing that an archive can be compared by.
  const names = new Set([...travelling(one, other), ...travelling(other, one)]);
  const displaced = (side: Listed, leaves: readonly Leaf[]): BytePath[] =>
    side.operand.kind === "archive" ? [] : leaves.map(({ path }) => path).filter((path) => names.has(path));
  const found = differenceOf(without(a, names), without(b, names));
  return {
    ...found,
    notCompared: [...found.notCompared, ...new Set([...displaced(one, a), ...displaced(other, b)])],
  };
}

/** A capture lists no files, but its tree may be in the repository, or the commit that it was. */
async function listed({ operand, files }: Side, { git }: CommitReading): Promise<Listed | null> {
  if (operand.kind !== "capture") return { operand, files, captured: null };
  const { captured, name } = operand;
  const { commit, subpath, matchesCommit } = captured;
  const trees = [
    captured.digests.git_tree,
    // With a slash behind it git takes no part of a folder's name, such as `-g1234567`, for another commit.
    matchesCommit && commit !== null ? `${commit}:${subpath === null ? "" : `${subpath}/`}` : undefined,
  ];
  for (const tree of git === null ? [] : trees) {
    const found = git === null || tree === undefined ? null : await treeOperand(name, tree, git);
    if (found !== null) return { operand: found, files: null, captured };
  }
  return null;
}

/** The files of a side as the other one would have them: what its ignore file leaves out is no difference. */
async function leavesOf(side: Listed, other: Listed, reading: CommitReading): Promise<Leaf[]> {
  if (side.operand.kind !== "commit") return leavesOfItems(side.files?.items ?? []);
  const leaves = leavesOfCommit(side.operand.committed.entries);
  const included = await inclusionIn(side, other, reading);
  if (included === null) return leaves;
  const there = new Set(other.files?.items.values().map(({ path }) => path));
  return leaves.filter(({ path }) => included(path) || there.has(path));
}

/** What of a commit's files was, or would be, in the context that it is compared with. */
async function inclusionIn(
  side: Listed,
  other: Listed,
  { git, noIgnore }: CommitReading,
): Promise<Inclusion | null> {
  const chosen = other.files?.context?.chosen ?? null;
  if (chosen !== null) return includedBy(alwaysIncluded(chosen), chosen.ignoreLines);
  if (noIgnore || git === null || side.operand.kind !== "commit") return null;
  const captured = side.captured ?? other.captured;
  if (captured !== null) return inclusionAsCaptured(captured, side.operand.committed, git);
  return other.files === null ? null : inclusionAsListed(other.files.items, git);
}

/** The names that an archive has for build files, as the other side tells of them. */
function travelling(side: Listed, other: Listed): ReadonlySet<string> {
  const told = side.operand.kind === "archive" ? toldBy(other) : null;
  return told === null ? new Set() : travellingNames(told);
}

function toldBy({ files, captured }: Listed): ToldBuildFiles | null {
  const chosen = files?.context?.chosen ?? null;
  return chosen === null
    ? captured
    : { dockerfile: shownBuildFile(chosen.dockerfile), ignoreFile: shownBuildFile(chosen.ignoreFile) };
}
