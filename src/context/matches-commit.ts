import { toHex } from "../base/encoding.ts";
import { bytePathOf, childPath, exactText, shownText, type BytePath } from "./byte-path.ts";
import { modeOf, type TreeItem, type TreeItems } from "./tree-digests.ts";

/** One way in which the staged bytes differ from the commit. */
export type Difference =
  | "modified"
  | "untracked"
  | "ignored_but_shipped"
  | "missing"
  | "mode_only"
  | "eol_only"
  | "filter_only"
  | "submodule"
  | "skip_worktree";

/** Are the bytes that ship exactly what the commit holds at this path? Null: nobody can say, for `reason`. */
export type MatchesCommit = {
  readonly value: boolean | null;
  readonly reason: string | null;
  readonly counts: Readonly<Partial<Record<Difference, number>>>;
  /** A few paths of each kind, for the reader. */
  readonly samples: Readonly<Partial<Record<Difference, readonly string[]>>>;
  /** Untracked names that the commit has in another Unicode form, in which some systems and tools write them. */
  readonly otherForm: readonly BytePath[];
};

export type CommittedEntry = { readonly mode: string; readonly id: string; readonly path: Uint8Array };

/** A repository inside the context: what its recorded commit holds, or null when nobody here knows. */
export type CommittedSubmodule = {
  readonly path: Uint8Array;
  readonly entries: readonly CommittedEntry[] | null;
};

/** One path that differs. What it is called in the end may depend on the index and on the content. */
export type Departure = {
  readonly kind: "modified" | "untracked" | "missing" | "mode_only" | "submodule";
  readonly path: BytePath;
  readonly item: TreeItem | null;
  /** The id of the blob that the commit holds there. */
  readonly committed: string | null;
};

const SAMPLES = 5;
const GITLINK = "160000";
const LINK = "120000";

/**
 * Compares content by git blob ids: neither the index nor a clock is asked, so touched files are equal and hidden
 * changes are seen. `isIgnored` says whether the ignore rules keep a committed path out: it does not ship, so its
 * absence is no difference. `.git` is never committed, so only the ignore rules matter. git's order and that of the
 * items is one: what is equal is passed over side by side and not kept, however much it is. Only the rest is looked up.
 */
export function departuresFrom(
  committed: Iterable<CommittedEntry>,
  submodules: readonly CommittedSubmodule[],
  items: TreeItems,
  isIgnored: (path: BytePath) => boolean,
): Departure[] {
  const { left, departing } = withoutEqual(committed, items);
  const owners = new Set<BytePath>();
  const differing = new Set<BytePath>();
  for (const { path, entries } of submodules) {
    const owner = bytePathOf(path);
    owners.add(owner);
    for (const { path: inner, entry } of contentsOf(entries ?? [])) left.set(childPath(owner, inner), entry);
    if (entries === null && !isIgnored(owner)) differing.add(owner);
  }
  const found: Departure[] = [];
  // What differs in a submodule is the submodule: the commit names it as one thing, by one id.
  const add = (departure: Departure): void => {
    const owner = owners.size === 0 ? null : ownerOf(departure.path, owners);
    if (owner === null) found.push(departure);
    else differing.add(owner);
  };
  for (const { item, entry: beside } of departing) {
    const entry = beside ?? left.get(item.path);
    left.delete(item.path);
    const kind = entry === undefined ? "untracked" : differenceOf(item, entry);
    if (kind !== null) add({ kind, path: item.path, item, committed: entry?.id ?? null });
  }
  for (const [path, { id }] of left) {
    if (!isIgnored(path)) add({ kind: "missing", path, item: null, committed: id });
  }
  for (const path of differing) found.push({ kind: "submodule", path, item: null, committed: null });
  return found;
}

/** What is left of two lists in one order without what is the same in both; out of order, more is left. */
function withoutEqual(
  committed: Iterable<CommittedEntry>,
  items: TreeItems,
): {
  readonly left: Map<BytePath, CommittedEntry>;
  readonly departing: readonly { readonly item: TreeItem; readonly entry: CommittedEntry | null }[];
} {
  const left = new Map<BytePath, CommittedEntry>();
  const departing: { item: TreeItem; entry: CommittedEntry | null }[] = [];
  const contents = contentsOf(committed);
  let next = contents.next();
  for (const item of items) {
    for (; next.done !== true && next.value.path < item.path; next = contents.next()) {
      left.set(next.value.path, next.value.entry);
    }
    if (next.done === true || next.value.path !== item.path) departing.push({ item, entry: null });
    else {
      const { entry } = next.value;
      if (differenceOf(item, entry) !== null) departing.push({ item, entry });
      next = contents.next();
    }
  }
  for (; next.done !== true; next = contents.next()) left.set(next.value.path, next.value.entry);
  return { left, departing };
}

/** What a commit has of content, with its path as text; a submodule has none. */
function* contentsOf(
  committed: Iterable<CommittedEntry>,
): Generator<{ readonly path: BytePath; readonly entry: CommittedEntry }, undefined> {
  for (const entry of committed) if (entry.mode !== GITLINK) yield { path: bytePathOf(entry.path), entry };
}

function differenceOf(item: TreeItem, { id, mode }: CommittedEntry): "modified" | "mode_only" | null {
  if (item.content.blob === null || toHex(item.content.blob) !== id) return "modified";
  if ((item.kind === "symlink") !== (mode === LINK)) return "modified";
  return modeOf(item) === mode ? null : "mode_only";
}

/** The innermost submodule that a path lies in. */
function ownerOf(path: BytePath, owners: ReadonlySet<string>): BytePath | null {
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const parent = bytePathOf(Buffer.from(path.slice(0, slash), "latin1"));
    if (owners.has(parent)) return parent;
  }
  return null;
}

/** The untracked paths that are a missing one as soon as both are composed. */
export function inOtherForm(found: readonly Departure[]): BytePath[] {
  const composed = ({ path }: Departure): string | null => exactText(path)?.normalize("NFC") ?? null;
  const missing = new Set(found.filter(({ kind }) => kind === "missing").map(composed));
  // Names that are no text have no form.
  missing.delete(null);
  return found
    .filter((departure) => departure.kind === "untracked" && missing.has(composed(departure)))
    .map(({ path }) => path);
}

/** The verdict, with what was found counted by kind. */
export function matchOf(
  found: readonly { readonly kind: Difference; readonly path: BytePath }[],
  otherForm: readonly BytePath[],
): MatchesCommit {
  const counts: Partial<Record<Difference, number>> = {};
  const samples: Partial<Record<Difference, string[]>> = {};
  for (const { kind, path } of found) {
    counts[kind] = (counts[kind] ?? 0) + 1;
    const shown = (samples[kind] ??= []);
    if (shown.length < SAMPLES) shown.push(shownText(path));
  }
  return { value: found.length === 0, reason: null, counts, samples, otherForm };
}

export function unknownMatch(reason: string): MatchesCommit {
  return { value: null, reason, counts: {}, samples: {}, otherForm: [] };
}
