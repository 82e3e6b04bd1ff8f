import { bytePathFromText, type BytePath } from "./byte-path.ts";
import type { Entry } from "./walk.ts";

/** One of the two files that a builder always gets, wherever it lies. */
export type BuildFile = {
  /** Absolute place on disk. */
  readonly place: string;
  /** Its path inside the context, or null when it lies outside. */
  readonly inside: BytePath | null;
  /** The same of the file that it is a link to, or of itself. */
  readonly target: BytePath | null;
  /** Where its content lies, or null for a link that leads out of the context and out of its own folder. */
  readonly content: string | null;
};

/** The order in which everything is read, and what does not count everywhere. */
export type Layout = {
  /** In the order of the archive's names. */
  readonly entries: readonly Entry[];
  /** The build files that only travel with the archive, under the names that builders look for. */
  readonly travelling: ReadonlyMap<Entry, BuildFile>;
  /** What belongs to the tree and not to the archive: another file took its name. */
  readonly displaced: ReadonlySet<Entry>;
};

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
  const travelling = new Map<Entry, BuildFile>();
  if (dockerfile !== null && dockerfile.inside !== DOCKERFILE) {
    travelling.set({ kind: "file", path: DOCKERFILE }, dockerfile);
  }
  if (ignoreFile !== null && ignoreFile.inside !== IGNORE_FILE) {
    travelling.set({ kind: "file", path: IGNORE_FILE }, ignoreFile);
  }
  const names = new Set([...travelling.keys()].map(({ path }) => path));
  if (names.size === 0) return { entries, travelling, displaced: new Set() };
  const all = [...entries, ...travelling.keys()].sort(
    (a, b) => byArchivedName(a, b) || Number(travelling.has(a)) - Number(travelling.has(b)),
  );
  return { entries: all, travelling, displaced: new Set(entries.filter(({ path }) => names.has(path))) };
}

function byArchivedName(a: Entry, b: Entry): number {
  const [left, right] = [sortKey(a), sortKey(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function sortKey({ kind, path }: Entry): string {
  return kind === "directory" ? `${path}/` : path;
}
