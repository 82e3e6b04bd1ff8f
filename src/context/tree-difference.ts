import { Failure } from "../base/failure.ts";
import { toHex } from "../base/encoding.ts";
import { bytePathOf, type BytePath } from "./byte-path.ts";
import { modeOf, type TreeItem } from "./tree-digests.ts";

/** One file or link of a side, with what is known of its content. */
export type Leaf = {
  readonly path: BytePath;
  readonly mode: string;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly blob: string | null;
};

export type How = "added" | "removed" | "modified" | "mode" | "type";

/** `a` and `b` are the two sides of one path; null where there is none. */
export type PathDifference = {
  readonly path: BytePath;
  readonly how: How;
  readonly a: Leaf | null;
  readonly b: Leaf | null;
};

export type TreeDifference = {
  /** Paths that were held against each other, those on one side only included. */
  readonly checked: number;
  /** In the order of the paths. */
  readonly differences: readonly PathDifference[];
  /** Submodules, whose files only one side knows. */
  readonly notCompared: readonly BytePath[];
};

const GITLINK = "160000";

export function leavesOfItems(items: readonly TreeItem[]): Leaf[] {
  return items.map((item) => ({
    path: item.path,
    mode: modeOf(item),
    size: item.content.size,
    sha256: item.content.sha256,
    blob: item.content.blob === null ? null : toHex(item.content.blob),
  }));
}

export function leavesOfCommit(
  entries: readonly { readonly path: Uint8Array; readonly mode: string; readonly id: string }[],
): Leaf[] {
  return entries.map(({ path, mode, id }) => ({
    path: bytePathOf(path),
    mode,
    size: null,
    sha256: null,
    blob: id,
  }));
}

/**
 * Which paths make two trees differ, and how. Content is compared by a digest that both sides know for all of it.
 * Throws Failure `nothing_checked` when there is no such digest.
 */
export function differenceOf(a: readonly Leaf[], b: readonly Leaf[]): TreeDifference {
  const links = [...a, ...b].filter(({ mode }) => mode === GITLINK).map(({ path }) => path);
  const isLinked = (path: BytePath): boolean =>
    links.some((link) => path === link || path.startsWith(`${link}/`));
  const left = a.filter(({ path }) => !isLinked(path));
  const right = b.filter(({ path }) => !isLinked(path));
  const idOf = idInCommon(left, right);
  const open = new Map(left.map((leaf) => [leaf.path, leaf]));
  const differences: PathDifference[] = [];
  for (const other of right) {
    const one = open.get(other.path) ?? null;
    open.delete(other.path);
    const how = one === null ? "added" : howOf(one, other, idOf);
    if (how !== null) differences.push({ path: other.path, how, a: one, b: other });
  }
  for (const [path, leaf] of open) differences.push({ path, how: "removed", a: leaf, b: null });
  differences.sort((x, y) => (x.path < y.path ? -1 : 1));
  const removed = differences.filter(({ how }) => how === "removed").length;
  return { checked: right.length + removed, differences, notCompared: [...new Set(links)] };
}

function howOf(a: Leaf, b: Leaf, idOf: (leaf: Leaf) => string | null): How | null {
  if ((a.mode === "120000") !== (b.mode === "120000")) return "type";
  if (idOf(a) !== idOf(b)) return "modified";
  return a.mode === b.mode ? null : "mode";
}

function idInCommon(a: readonly Leaf[], b: readonly Leaf[]): (leaf: Leaf) => string | null {
  const all = [...a, ...b];
  const lengths = new Set(all.map(({ blob }) => blob?.length));
  if (all.every(({ sha256 }) => sha256 !== null)) return ({ sha256 }) => sha256;
  // Ids of two lengths are of two kinds of repository, and equal content has different ones.
  if (!lengths.has(undefined) && lengths.size <= 1) return ({ blob }) => blob;
  throw new Failure("nothing_checked", "the two sides know no digest of their content in common", {
    hint: "a commit is compared by git blob ids: write the manifest inside the work tree, or name the folder itself",
  });
}
