import { lstatSync, readdirSync, readlinkSync, type Dirent } from "node:fs";
import { errorCode, reason } from "../host/files.ts";
import {
  bytePathOf,
  childPath,
  isAscii,
  locate,
  patternText,
  shownText,
  type BytePath,
} from "./byte-path.ts";
import type { IgnoreMatcher, ParentMatch } from "./ignore.ts";
import type { Turns } from "./turns.ts";

export type Entry =
  | { readonly kind: "file"; readonly path: BytePath }
  | { readonly kind: "directory"; readonly path: BytePath }
  | { readonly kind: "symlink"; readonly path: BytePath; readonly target: BytePath };

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
  readonly entries: readonly Entry[];
  /** Special files, which no builder can copy. */
  readonly skipped: readonly { readonly path: string; readonly kind: "fifo" | "socket" | "device" }[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  /** Something vanished between being listed and being looked at. */
  readonly changed: readonly string[];
  /** False when all names are ASCII and no two of them are one where letter case does not count. */
  readonly mayCollide: boolean;
  /** Something of a version control system is in it. */
  readonly holdsVcs: boolean;
};

type Kind = Entry["kind"] | "fifo" | "socket" | "device";
type Named = { readonly name: BytePath; readonly kind: Kind; readonly sortKey: string };

/** A directory that is being read. */
type Level = {
  readonly path: BytePath | "";
  readonly match: ParentMatch | null;
  readonly ignored: boolean;
  /** Ignored parents, to be listed as soon as something below them is in the context. */
  readonly waiting: BytePath[];
  readonly children: readonly Named[];
  next: number;
};

/**
 * Lists the context. `root` is an absolute path without links; links below it are listed, never followed. `onFile`
 * hears of each file as it is found, so that it can be read while the walk goes on.
 */
export async function walkContext(
  root: string,
  selection: Selection,
  turns: Turns,
  onFile: (path: BytePath) => void,
): Promise<Walk> {
  const walker = new Walker(root, selection, onFile);
  while (walker.step()) if (turns.due()) await turns.take();
  return walker;
}

class Walker implements Walk {
  readonly entries: Entry[] = [];
  readonly skipped: { path: string; kind: "fifo" | "socket" | "device" }[] = [];
  readonly unreadable: { path: string; reason: string }[] = [];
  readonly changed: string[] = [];
  mayCollide = false;
  holdsVcs = false;
  readonly #root: string;
  readonly #selection: Selection;
  readonly #onFile: (path: BytePath) => void;
  /** The directories from the root down to where the walk is. */
  readonly #levels: Level[] = [];

  constructor(root: string, selection: Selection, onFile: (path: BytePath) => void) {
    this.#root = root;
    this.#selection = selection;
    this.#onFile = onFile;
    this.#enter("", null, [], false);
  }

  /** Lists on to the next directory; false when all is listed. */
  step(): boolean {
    const level = this.#levels.at(-1);
    if (level === undefined) return false;
    while (level.next < level.children.length) {
      const child = level.children[level.next++];
      if (child !== undefined && this.#child(childPath(level.path, child.name), child, level)) return true;
    }
    this.#levels.pop();
    // What the subtree already listed must not be listed again for a later sibling.
    if (level.ignored && level.waiting.length === 0) this.#levels.at(-1)?.waiting.splice(0);
    return true;
  }

  #enter(path: BytePath | "", match: ParentMatch | null, waiting: BytePath[], ignored: boolean): boolean {
    try {
      const { children, mayCollide } = listDirectory(this.#root, path);
      this.mayCollide ||= mayCollide;
      this.#levels.push({ path, match, ignored, waiting, children, next: 0 });
      return true;
    } catch (error) {
      // Docker skips an ignored directory that it cannot read, and fails on one that it wants.
      if (!ignored) this.#failed(path === "" ? "." : shownText(path), error);
      return false;
    }
  }

  /** True when it is a directory that was entered. */
  #child(path: BytePath, child: Named, { match, waiting }: Level): boolean {
    if (child.name === ".git") {
      if (!this.#selection.includeVcs) return false;
      this.holdsVcs = true;
    }
    const { outputs } = this.#selection;
    // To look a path up costs as much as to list it, and mostly there is nothing to find.
    if (outputs.size > 0 && outputs.has(path)) return false;
    const { ignored, own, descend } = this.#verdict(path, child.kind, match);
    if (child.kind === "directory") {
      if (ignored && !descend) return false;
      if (!ignored) this.#emit({ kind: "directory", path }, waiting);
      return this.#enter(path, own, ignored ? [...waiting, path] : [], ignored);
    }
    if (ignored) return false;
    if (child.kind === "file") {
      this.#emit({ kind: "file", path }, waiting);
      this.#onFile(path);
    } else if (child.kind === "symlink") this.#symlink(path, waiting);
    else this.skipped.push({ path: shownText(path), kind: child.kind });
    return false;
  }

  #verdict(
    path: BytePath,
    kind: Kind,
    parent: ParentMatch | null,
  ): { ignored: boolean; own: ParentMatch | null; descend: boolean } {
    const { ignore, always } = this.#selection;
    if (ignore.empty) return NOT_IGNORED;
    const forced = always.has(path);
    const text = patternText(path);
    const match = ignore.match(text, parent);
    const ignored = match.ignored && !forced;
    if (!ignored || kind !== "directory") return { ignored, own: match.own, descend: true };
    const holdsForced = [...always].some((one) => one.startsWith(`${path}/`));
    return { ignored, own: match.own, descend: holdsForced || ignore.descends(text, match) };
  }

  #symlink(path: BytePath, waiting: BytePath[]): void {
    try {
      const target = readlinkSync(locate(this.#root, path), { encoding: "buffer" });
      this.#emit({ kind: "symlink", path, target: bytePathOf(target) }, waiting);
    } catch (error) {
      this.#failed(shownText(path), error);
    }
  }

  #emit(entry: Entry, waiting: BytePath[]): void {
    if (waiting.length > 0) {
      for (const path of waiting.splice(0)) this.entries.push({ kind: "directory", path });
    }
    this.entries.push(entry);
  }

  #failed(path: string, error: unknown): void {
    if (errorCode(error) === "ENOENT") this.changed.push(path);
    else this.unreadable.push({ path, reason: reason(error) });
  }
}

const NOT_IGNORED = { ignored: false, own: null, descend: true } as const;

function listDirectory(
  root: string,
  path: BytePath | "",
): { readonly children: readonly Named[]; readonly mayCollide: boolean } {
  const place = path === "" ? root : locate(root, path);
  const children: Named[] = [];
  let capitals = false;
  for (const child of readdirSync(place, { withFileTypes: true })) {
    // ASCII names are exact as strings, and their kinds come with the listing.
    if (!ASCII_WITHOUT_CAPITALS.test(child.name)) {
      if (!isAscii(child.name)) {
        return { children: listExactly(root, path, place).sort(compare), mayCollide: true };
      }
      capitals = true;
    }
    const name = child.name as BytePath; // oxlint-disable-line typescript/no-unsafe-type-assertion -- ASCII is its own bytes
    children.push(named(name, kindOf(child) ?? kindOnDisk(root, path, name)));
  }
  if (children.length < 2) return { children, mayCollide: false };
  return { children: children.sort(compare), mayCollide: capitals && collide(children) };
}

const ASCII_WITHOUT_CAPITALS = /^[\0-@[-\u007f]*$/u;

/** For names of one directory, in ASCII: two paths can be one only where two names beside each other are. */
function collide(names: readonly Named[]): boolean {
  return new Set(names.map(({ name }) => name.toLowerCase())).size < names.length;
}

/** Names as bytes: a string listing turns what is not UTF-8 into U+FFFD, which then does not exist. */
function listExactly(root: string, path: BytePath | "", place: string | Buffer): Named[] {
  return readdirSync(place, { encoding: "buffer" }).map((bytes) => {
    const name = bytePathOf(bytes);
    return named(name, kindOnDisk(root, path, name));
  });
}

function named(name: BytePath, kind: Kind): Named {
  return { name, kind, sortKey: kind === "directory" ? `${name}/` : name };
}

function kindOnDisk(root: string, path: BytePath | "", name: BytePath): Kind {
  return kindOf(lstatSync(locate(root, childPath(path, name)))) ?? "device";
}

/** Null when a listing does not say: not every file system keeps the kinds there. */
function kindOf(
  status: Pick<
    Dirent,
    | "isFile"
    | "isDirectory"
    | "isSymbolicLink"
    | "isFIFO"
    | "isSocket"
    | "isBlockDevice"
    | "isCharacterDevice"
  >,
): Kind | null {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "symlink";
  if (status.isFIFO()) return "fifo";
  if (status.isSocket()) return "socket";
  return status.isBlockDevice() || status.isCharacterDevice() ? "device" : null;
}

function compare(a: Named, b: Named): number {
  return a.sortKey < b.sortKey ? -1 : 1;
}
