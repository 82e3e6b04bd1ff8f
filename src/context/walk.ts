import { keepFromLastCompiler, keepMethodsFromLastCompiler } from "../host/compiler.ts";
import { errorCode, reason } from "../host/files.ts";
import { childPath, isAscii, patternText, shownText, type BytePath } from "./byte-path.ts";
import type { ContextFolder, Kind } from "./context-folder.ts";
import { EntryList, type Entry } from "./entry-list.ts";
import type { IgnoreMatcher, ParentMatch } from "./ignore.ts";
import { holdsOneOf } from "./inclusion.ts";
import { ContentFailure } from "./opened-file.ts";
import { mayBeSecret } from "./secret-files.ts";
import type { Turns } from "./turns.ts";

/** Which paths below the root belong to the context. */
export type Selection = {
  readonly ignore: IgnoreMatcher;
  /** The Dockerfile and the ignore file reach the builder even when the ignore file names them. */
  readonly always: ReadonlySet<BytePath>;
  /** What this run itself writes: were it part of the context, no second run could give the same hash. */
  readonly outputs: ReadonlySet<BytePath>;
  readonly includeVcs: boolean;
};

export type Walk = {
  /** In byte order of the whole path, a directory comparing as `path/`: the order of the tree hash, git and tar. */
  readonly entries: EntryList;
  /** Special files, which no builder can copy. */
  readonly skipped: readonly { readonly path: string; readonly kind: "fifo" | "socket" | "device" }[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  /** Something vanished between being listed and being looked at. */
  readonly changed: readonly string[];
  /** False when all names are ASCII and no two of them are one where letter case does not count. */
  readonly mayCollide: boolean;
  /** Something is there that is not listed, other than the `.git` of the root. */
  readonly leavesOut: boolean;
  /** A `.git` was met, which the ignore file may leave out all the same. */
  readonly holdsVcs: boolean;
  /** The files whose names are like those of secrets. */
  readonly suspects: readonly BytePath[];
};

/** What one directory holds. An object for each name would take longer than to list it. */
type Listing = {
  /** In walk order; the name of a directory ends with a slash. */
  readonly names: readonly BytePath[];
  /** The names that are neither a file's nor a directory's. */
  readonly others: ReadonlyMap<BytePath, Kind>;
  readonly mayCollide: boolean;
};

/** A directory that is being read. */
type Level = {
  readonly path: BytePath | "";
  readonly match: ParentMatch | null;
  readonly ignored: boolean;
  /** Ignored parents, to be listed as soon as something below them is in the context. */
  readonly waiting: BytePath[];
  readonly listing: Listing;
  next: number;
};

/**
 * Lists the context. Links are listed, never followed. `onFile` hears of each file as it is found, and `onMore` of the
 * entries after each directory, so that something can be done with them while the walk goes on.
 */
export async function walkContext(
  folder: ContextFolder,
  selection: Selection,
  turns: Turns,
  onFile: (path: BytePath) => void,
  onMore: ((entries: EntryList) => Promise<void> | null) | null,
): Promise<Walk> {
  const walker = new Walker(folder, selection, onFile);
  while (walker.step()) {
    const more = onMore?.(walker.entries) ?? null;
    if (more !== null) await more;
    if (turns.due()) await turns.take();
  }
  return walker;
}

class Walker implements Walk {
  readonly entries = new EntryList();
  readonly skipped: { path: string; kind: "fifo" | "socket" | "device" }[] = [];
  readonly unreadable: { path: string; reason: string }[] = [];
  readonly changed: string[] = [];
  readonly suspects: BytePath[] = [];
  mayCollide = false;
  leavesOut = false;
  holdsVcs = false;
  readonly #folder: ContextFolder;
  readonly #selection: Selection;
  readonly #onFile: (path: BytePath) => void;
  /** The directories from the root down to where the walk is. */
  readonly #levels: Level[] = [];

  constructor(folder: ContextFolder, selection: Selection, onFile: (path: BytePath) => void) {
    this.#folder = folder;
    this.#selection = selection;
    this.#onFile = onFile;
    this.#enter("", null, [], false);
  }

  /** Lists on to the next directory; false when all is listed. */
  step(): boolean {
    const level = this.#levels.at(-1);
    if (level === undefined) return false;
    const { names } = level.listing;
    while (level.next < names.length) {
      const name = names[level.next++];
      if (name !== undefined && this.child(name, level)) return true;
    }
    this.#levels.pop();
    // What the subtree already listed must not be listed again for a later sibling.
    if (level.ignored && level.waiting.length === 0) this.#levels.at(-1)?.waiting.splice(0);
    return true;
  }

  #enter(path: BytePath | "", match: ParentMatch | null, waiting: BytePath[], ignored: boolean): boolean {
    try {
      const listing = listDirectory(this.#folder, path);
      this.mayCollide ||= listing.mayCollide;
      this.#levels.push({ path, match, ignored, waiting, listing, next: 0 });
      return true;
    } catch (error) {
      // Docker skips an ignored directory that it cannot read, and fails on one that it wants.
      if (!ignored) this.#failed(path === "" ? "." : shownText(path), error);
      return false;
    }
  }

  /** True when it is a directory that was entered. */
  child(listed: BytePath, level: Level): boolean {
    const { match, waiting, listing } = level;
    const isDirectory = listed.endsWith("/");
    const name = isDirectory ? (listed.slice(0, -1) as BytePath) : listed; // oxlint-disable-line typescript/no-unsafe-type-assertion -- without the slash
    if (name === ".git") {
      if (!this.#selection.includeVcs) {
        if (level.path !== "") this.leavesOut = true;
        return false;
      }
      this.holdsVcs = true;
    }
    const path = childPath(level.path, name);
    const { outputs } = this.#selection;
    // To look a path up costs as much as to list it, and mostly there is nothing to find.
    if (outputs.size > 0 && outputs.has(path)) {
      this.leavesOut = true;
      return false;
    }
    const { ignored, own, descend } = this.#verdict(path, isDirectory, match);
    if (ignored) this.leavesOut = true;
    if (isDirectory) {
      if (ignored && !descend) return false;
      if (!ignored) this.#emit({ kind: "directory", path }, waiting);
      return this.#enter(path, own, ignored ? [...waiting, path] : [], ignored);
    }
    if (ignored) return false;
    const kind = listing.others.get(name) ?? "file";
    if (kind === "file") {
      this.#emit({ kind, path }, waiting);
      this.#onFile(path);
      if (mayBeSecret(name)) this.suspects.push(path);
    } else if (kind === "symlink") this.#symlink(path, waiting);
    else if (kind !== "directory") this.skipped.push({ path: shownText(path), kind });
    return false;
  }

  #verdict(
    path: BytePath,
    isDirectory: boolean,
    parent: ParentMatch | null,
  ): { ignored: boolean; own: ParentMatch | null; descend: boolean } {
    const { ignore, always } = this.#selection;
    if (ignore.empty) return NOT_IGNORED;
    const forced = always.has(path);
    const text = patternText(path);
    const match = ignore.match(text, parent);
    const ignored = match.ignored && !forced;
    if (!ignored || !isDirectory) return { ignored, own: match.own, descend: true };
    return {
      ignored,
      own: match.own,
      descend: holdsOneOf(always, path) || ignore.descends(text, match),
    };
  }

  #symlink(path: BytePath, waiting: BytePath[]): void {
    try {
      this.#emit({ kind: "symlink", path, target: this.#folder.readLink(path) }, waiting);
    } catch (error) {
      this.#failed(shownText(path), error);
    }
  }

  #emit(entry: Entry, waiting: BytePath[]): void {
    if (waiting.length > 0) {
      for (const path of waiting.splice(0)) this.entries.add({ kind: "directory", path });
    }
    this.entries.add(entry);
  }

  #failed(path: string, error: unknown): void {
    if (errorCode(error) === "ENOENT" || error instanceof ContentFailure) this.changed.push(path);
    else this.unreadable.push({ path, reason: reason(error) });
  }
}

const NOT_IGNORED = { ignored: false, own: null, descend: true } as const;

function listDirectory(folder: ContextFolder, path: BytePath | ""): Listing {
  const names: BytePath[] = [];
  const others = new Map<BytePath, Kind>();
  let [isPlain, hasCapitals] = [true, false];
  folder.list(path, (name, kind) => {
    if (!ASCII_WITHOUT_CAPITALS.test(name)) {
      hasCapitals = true;
      isPlain &&= isAscii(name);
    }
    if (kind === "directory") names.push(`${name}/` as BytePath); // oxlint-disable-line typescript/no-unsafe-type-assertion -- a byte more
    else {
      names.push(name);
      if (kind !== "file") others.set(name, kind);
    }
  });
  // Without a function to compare: as strings, whose order is that of their bytes.
  names.sort(); // oxlint-disable-line typescript/require-array-sort-compare, unicorn/require-array-sort-compare
  return { names, others, mayCollide: !isPlain || (hasCapitals && collide(names)) };
}

const ASCII_WITHOUT_CAPITALS = /^[\0-@[-\u007f]*$/u;

/** For names of one directory, in ASCII: two paths can be one only where two names beside each other are. */
function collide(names: readonly BytePath[]): boolean {
  return new Set(names.map((name) => name.toLowerCase())).size < names.length;
}

keepMethodsFromLastCompiler(Walker, "step", "child");
keepFromLastCompiler(listDirectory);
