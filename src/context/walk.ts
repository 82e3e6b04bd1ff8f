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
};

type Kind = Entry["kind"] | "fifo" | "socket" | "device";
type Named = { readonly name: BytePath; readonly kind: Kind };

/** Lists the context. `root` is an absolute path without links; links below it are listed, never followed. */
export function walkContext(root: string, selection: Selection): Walk {
  const walker = new Walker(root, selection);
  walker.directory("", null, []);
  return walker;
}

class Walker implements Walk {
  readonly entries: Entry[] = [];
  readonly skipped: { path: string; kind: "fifo" | "socket" | "device" }[] = [];
  readonly unreadable: { path: string; reason: string }[] = [];
  readonly changed: string[] = [];
  readonly #root: string;
  readonly #selection: Selection;

  constructor(root: string, selection: Selection) {
    this.#root = root;
    this.#selection = selection;
  }

  /** `waiting` are ignored parents, to be listed as soon as something below them is in the context. */
  directory(path: BytePath | "", match: ParentMatch | null, waiting: BytePath[], ignored = false): void {
    let children: Named[];
    try {
      children = listDirectory(this.#root, path);
    } catch (error) {
      // Docker skips an ignored directory that it cannot read, and fails on one that it wants.
      if (!ignored) this.#failed(path === "" ? "." : shownText(path), error);
      return;
    }
    for (const child of children) this.#child(childPath(path, child.name), child, match, waiting);
  }

  #child(path: BytePath, child: Named, parent: ParentMatch | null, waiting: BytePath[]): void {
    if (child.name === ".git" && !this.#selection.includeVcs) return;
    if (this.#selection.outputs.has(path)) return;
    const { ignored, own, descend } = this.#verdict(path, child.kind, parent);
    if (child.kind === "directory") {
      if (ignored && !descend) return;
      const below = ignored ? [...waiting, path] : [];
      if (!ignored) this.#emit({ kind: "directory", path }, waiting);
      this.directory(path, own, below, ignored);
      // What the subtree already listed must not be listed again for a later sibling.
      if (ignored && below.length === 0) waiting.length = 0;
      return;
    }
    if (ignored) return;
    if (child.kind === "file") this.#emit({ kind: "file", path }, waiting);
    else if (child.kind === "symlink") this.#symlink(path, waiting);
    else this.skipped.push({ path: shownText(path), kind: child.kind });
  }

  #verdict(
    path: BytePath,
    kind: Kind,
    parent: ParentMatch | null,
  ): { ignored: boolean; own: ParentMatch | null; descend: boolean } {
    const { ignore, always } = this.#selection;
    const forced = always.has(path);
    if (ignore.empty) return { ignored: false, own: null, descend: true };
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
    for (const path of waiting.splice(0)) this.entries.push({ kind: "directory", path });
    this.entries.push(entry);
  }

  #failed(path: string, error: unknown): void {
    if (errorCode(error) === "ENOENT") this.changed.push(path);
    else this.unreadable.push({ path, reason: reason(error) });
  }
}

function listDirectory(root: string, path: BytePath | ""): Named[] {
  const place = path === "" ? root : locate(root, path);
  const listed = readdirSync(place, { withFileTypes: true });
  const children = listed.every((child) => isAscii(child.name))
    ? // ASCII names are exact as strings, and their kinds come with the listing.
      listed.map((child) => ({ name: bytePathOf(Buffer.from(child.name, "latin1")), kind: kindOf(child) }))
    : listExactly(root, path, place);
  return children.sort(compare);
}

/** Names as bytes: a string listing turns what is not UTF-8 into U+FFFD, which then does not exist. */
function listExactly(root: string, path: BytePath | "", place: string | Buffer): Named[] {
  return readdirSync(place, { encoding: "buffer" }).map((bytes) => {
    const name = bytePathOf(bytes);
    return { name, kind: kindOf(lstatSync(locate(root, childPath(path, name)))) };
  });
}

function kindOf(
  status: Pick<Dirent, "isFile" | "isDirectory" | "isSymbolicLink" | "isFIFO" | "isSocket">,
): Kind {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "symlink";
  if (status.isFIFO()) return "fifo";
  return status.isSocket() ? "socket" : "device";
}

function compare(a: Named, b: Named): number {
  const left = a.kind === "directory" ? `${a.name}/` : a.name;
  const right = b.kind === "directory" ? `${b.name}/` : b.name;
  return left < right ? -1 : 1;
}
