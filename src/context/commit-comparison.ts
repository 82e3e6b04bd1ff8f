import { sha256Of } from "../base/hashing.ts";
import { LIMITS } from "../base/limits.ts";
import type { CommitTree } from "../source/commit-tree.ts";
import type { Git } from "../source/git.ts";
import { gitIgnored, skipWorktree } from "../source/index-flags.ts";
import type { Submodule } from "../source/submodules.ts";
import type { BytePath } from "./byte-path.ts";
import { remainderOf } from "./commit-remainder.ts";
import type { ContextFolder } from "./context-folder.ts";
import { blobId, conversionOf, lfsPointer } from "./conversions.ts";
import type { ObjectFormat } from "./contents.ts";
import {
  departuresFrom,
  inOtherForm,
  matchOf,
  type Departure,
  type Difference,
  type MatchesCommit,
} from "./matches-commit.ts";
import { readStart } from "./reread.ts";
import type { TreeItems } from "./tree-digests.ts";

export type Comparison = {
  /** Runs at the top of the work tree. */
  readonly git: Git;
  readonly folder: ContextFolder;
  readonly subpath: string;
  readonly format: ObjectFormat;
  readonly items: TreeItems;
  readonly committed: CommitTree;
  readonly submodules: readonly Submodule[];
  readonly isIgnored: (path: BytePath) => boolean;
};

/**
 * Compares the context with the commit. Only what departs from it is looked at again, in the index and in its content,
 * to say how.
 */
export async function compareWithCommit(wanted: Comparison): Promise<MatchesCommit> {
  const submodules = wanted.submodules.map(({ path, tree }) => ({ path, entries: tree?.entries ?? null }));
  const { entries, items } = remainderOf(wanted.committed, wanted.items, wanted.isIgnored);
  const found = departuresFrom(entries, submodules, items, wanted.isIgnored);
  if (found.length === 0) return matchOf([], []);
  const [ignored, skipped] = await Promise.all([ignoredAmong(found, wanted), skippedAmong(found, wanted)]);
  const reader = new AgainReader(wanted);
  return matchOf(
    found.map((departure) => {
      const { path } = departure;
      return { path, kind: nameOf(departure, ignored.has(path), skipped.has(path), reader) };
    }),
    inOtherForm(found),
  );
}

function nameOf(departure: Departure, ignored: boolean, skipped: boolean, reader: AgainReader): Difference {
  if (departure.kind === "untracked") return ignored ? "ignored_but_shipped" : "untracked";
  if (departure.kind !== "modified" && departure.kind !== "missing") return departure.kind;
  if (skipped) return "skip_worktree";
  return (departure.kind === "modified" ? reader.conversion(departure) : null) ?? departure.kind;
}

async function ignoredAmong(
  found: readonly Departure[],
  { git, subpath }: Comparison,
): Promise<ReadonlySet<string>> {
  const untracked = found.filter(({ kind }) => kind === "untracked").map(({ path }) => path);
  if (untracked.length === 0) return new Set();
  const prefix = prefixOf(subpath);
  return below(
    prefix,
    await gitIgnored(
      git,
      subpath,
      untracked.map((path) => prefix + path),
    ),
  );
}

async function skippedAmong(
  found: readonly Departure[],
  { git, subpath }: Comparison,
): Promise<ReadonlySet<string>> {
  if (!found.some(({ kind }) => kind === "missing" || kind === "modified")) return new Set();
  return below(prefixOf(subpath), await skipWorktree(git, subpath));
}

/** In bytes, like the paths. */
function prefixOf(subpath: string): string {
  return subpath === "" ? "" : `${Buffer.from(subpath, "utf8").toString("latin1")}/`;
}

function below(prefix: string, paths: ReadonlySet<string> | null): ReadonlySet<string> {
  return new Set([...(paths ?? [])].map((path) => path.slice(prefix.length)));
}

/** A collection takes as long as reading a few MB. */
const BYTES_TO_COLLECT = 2 * LIMITS.conversionFileBytes;

/** Reads modified files a second time, within a ceiling for all of them together. */
class AgainReader {
  readonly #folder: ContextFolder;
  readonly #format: ObjectFormat;
  #left: number = LIMITS.conversionBytes;
  #uncollected = 0;

  constructor({ folder, format }: Comparison) {
    this.#folder = folder;
    this.#format = format;
  }

  conversion({ item, committed }: Departure): "eol_only" | "filter_only" | null {
    if (item === null || item.kind !== "file" || committed === null) return null;
    const { sha256, size } = item.content;
    if (blobId(lfsPointer(sha256, size), this.#format) === committed) return "filter_only";
    if (size > LIMITS.conversionFileBytes || size > this.#left) return null;
    this.#left -= size;
    const bytes = readStart(this.#folder, item.path, size);
    // Other bytes than those that were hashed prove nothing about them.
    if (bytes === null || sha256Of(bytes) !== sha256) return null;
    const found = conversionOf(bytes, committed, this.#format);
    this.#collect(size);
    return found;
  }
  /** Gives back what was read and each reading of it: by itself the runtime would let it grow to that of all files. */
  #collect(size: number): void {
    this.#uncollected += size;
    if (this.#uncollected < BYTES_TO_COLLECT) return;
    Bun.gc(true);
    this.#uncollected = 0;
  }
}
