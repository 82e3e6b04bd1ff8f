import type { IgnoreMatcher, ParentMatch } from "../../src/context/ignore.ts";

/** A directory by the names in it: null is a file. */
export type Tree = Map<string, Tree | null>;

/** From paths, where one with a `/` at its end is an empty directory. */
export function treeOf(paths: readonly string[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    let place = root;
    const names = path.split("/");
    const last = names.pop() ?? "";
    for (const name of names) {
      const below = place.get(name) ?? new Map();
      place.set(name, below);
      place = below;
    }
    if (last !== "") place.set(last, null);
  }
  return root;
}

/** What the walk keeps, directories with a `/`, sorted: the protocol of `IgnoreMatcher` on a tree in memory. */
export function selectEntries(matcher: IgnoreMatcher, tree: Tree): string[] {
  const kept: string[] = [];
  function visit(directory: Tree, prefix: string, parent: ParentMatch | null, pending: string[]): void {
    for (const [name, below] of directory) {
      const path = prefix + name;
      const found = matcher.match(path, parent);
      const entry = below === null ? path : `${path}/`;
      if (!found.ignored) kept.push(...pending.splice(0), entry);
      if (below === null || !matcher.descends(path, found)) continue;
      const waiting = found.ignored ? [...pending, entry] : [];
      visit(below, `${path}/`, found.own, waiting);
      if (waiting.length === 0) pending.length = 0;
    }
  }
  visit(tree, "", null, []);
  return kept.sort();
}
