import { bytePathFromText, type BytePath } from "./byte-path.ts";
import type { Entry } from "./walk.ts";

/** One of the two files that a builder always gets, wherever it lies. */
export type BuildFile = {
  /** Absolute place on disk. */
  readonly place: string;
  /** Its path inside the context, or null when it lies outside. */
  readonly inside: BytePath | null;
};

/** One thing to read, with where it counts. */
export type Item = {
  /** The absolute place of a build file that only travels; null for what lies in the context under its path. */
  readonly elsewhere: string | null;
  readonly entry: Entry;
  /** Its name in the archive, or null when another file took that name. */
  readonly archived: BytePath | null;
};

export type Layout = { readonly items: readonly Item[]; readonly displaced: readonly string[] };

const DOCKERFILE = bytePathFromText("Dockerfile");
const IGNORE_FILE = bytePathFromText(".dockerignore");

/**
 * Decides what stands in the archive: every entry under its own path, and the chosen Dockerfile and ignore file at
 * the root under the names that remote builders know. A different file that already has such a name gives way (the
 * original let it win, and built the wrong Dockerfile); the tree hash still covers it.
 */
export function layOut(
  entries: readonly Entry[],
  dockerfile: BuildFile | null,
  ignoreFile: BuildFile | null,
): Layout {
  const travelling = new Map<BytePath, BuildFile>();
  if (dockerfile !== null && dockerfile.inside !== DOCKERFILE) travelling.set(DOCKERFILE, dockerfile);
  if (ignoreFile !== null && ignoreFile.inside !== IGNORE_FILE) travelling.set(IGNORE_FILE, ignoreFile);
  const displaced: string[] = [];
  const items: Item[] = entries.map((entry) => {
    const gone = travelling.has(entry.path);
    if (gone) displaced.push(entry.path);
    return { elsewhere: null, entry, archived: gone ? null : entry.path };
  });
  for (const [path, file] of travelling) {
    items.push({ elsewhere: file.place, entry: { kind: "file", path }, archived: path });
  }
  return { items: travelling.size === 0 ? items : items.sort(byArchivedName), displaced };
}

function byArchivedName(a: Item, b: Item): number {
  const [left, right] = [sortKey(a), sortKey(b)];
  return left < right ? -1 : left > right ? 1 : Number(a.elsewhere !== null) - Number(b.elsewhere !== null);
}

function sortKey(item: Item): string {
  return item.entry.kind === "directory" ? `${item.entry.path}/` : item.entry.path;
}
