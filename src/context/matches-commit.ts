import { toHex } from "../base/encoding.ts";
import { shownText, bytePathOf, type BytePath } from "./byte-path.ts";
import { modeOf, type TreeItem } from "./tree-digests.ts";

/** One way in which the staged bytes differ from the commit. */
export type Difference = "modified" | "untracked" | "missing" | "mode_only" | "submodule";

/** Are the bytes that ship exactly what the commit holds at this path? Null: nobody can say, for `reason`. */
export type MatchesCommit = {
  readonly value: boolean | null;
  readonly reason: string | null;
  readonly counts: Readonly<Partial<Record<Difference, number>>>;
  /** A few paths of each kind, for the reader. */
  readonly samples: Readonly<Partial<Record<Difference, readonly string[]>>>;
};

export type CommittedEntry = { readonly mode: string; readonly id: string; readonly path: Uint8Array };

const SAMPLES = 5;

/**
 * Compares content by git blob ids: neither the index nor a clock is asked, so touched files are equal and hidden
 * changes are seen. `isIgnored` says whether the ignore rules keep a committed path out: it does not ship, so its
 * absence is no difference. `.git` is never committed, so only the ignore rules matter.
 */
export function matchCommit(
  items: readonly TreeItem[],
  committed: readonly CommittedEntry[],
  isIgnored: (path: BytePath) => boolean,
): MatchesCommit {
  const found = new Map<Difference, string[]>();
  const add = (kind: Difference, path: BytePath): void => {
    const paths = found.get(kind) ?? [];
    found.set(kind, paths);
    paths.push(shownText(path));
  };
  const left = new Map<BytePath, CommittedEntry>(committed.map((entry) => [bytePathOf(entry.path), entry]));
  for (const item of items) {
    const entry = left.get(item.path);
    left.delete(item.path);
    if (entry === undefined) add("untracked", item.path);
    else if (item.content.blob === null || toHex(item.content.blob) !== entry.id) add("modified", item.path);
    else if (modeOf(item) !== entry.mode) add("mode_only", item.path);
  }
  for (const [path, entry] of left) {
    // The commit names only another repository's commit there; its files are not part of this tree.
    if (entry.mode === "160000") add("submodule", path);
    else if (!isIgnored(path)) add("missing", path);
  }
  const counts = Object.fromEntries([...found].map(([kind, paths]) => [kind, paths.length]));
  const samples = Object.fromEntries([...found].map(([kind, paths]) => [kind, paths.slice(0, SAMPLES)]));
  return { value: found.size === 0, reason: null, counts, samples };
}

export function unknownMatch(reason: string): MatchesCommit {
  return { value: null, reason, counts: {}, samples: {} };
}
