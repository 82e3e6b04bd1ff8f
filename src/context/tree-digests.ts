import { isAscii } from "node:buffer";
import { toHex } from "../base/encoding.ts";
import { Hasher } from "../base/hashing.ts";
import type { Sha256 } from "../base/digest.ts";
import { exactText, type BytePath } from "./byte-path.ts";
import type { FileContent, ObjectFormat } from "./contents.ts";

/** One file or link of the tree, in walk order. */
export type TreeItem = {
  readonly path: BytePath;
  readonly kind: "file" | "symlink";
  readonly content: FileContent;
};

/** Files and links in walk order. An array is one; so is what makes an item only when it is asked for. */
export type TreeItems = Iterable<TreeItem> & {
  readonly length: number;
  values(): IteratorObject<TreeItem, undefined>;
};

export type DigestResult<T extends string = string> =
  | { readonly value: T; readonly reason: null }
  | { readonly value: null; readonly reason: string };

export function modeOf(item: TreeItem): "100644" | "100755" | "120000" {
  if (item.kind === "symlink") return "120000";
  return item.content.executable ? "100755" : "100644";
}

/**
 * The compatible tree hash: sha256 over the lines `path NUL mode NUL sha256hex`, in byte order of the whole path,
 * joined by line feeds, none at the end. Directories, owners and times have no part in it. The original could not
 * name a file whose name is not UTF-8, so there is no hash then, with the reason `name_not_utf8`. `lines` are those of
 * the items, where they are written out already.
 */
export function workingTreeHash(
  items: TreeItems,
  lines: Iterable<Uint8Array> = inPieces(items, writeTreeLine),
): DigestResult<Sha256> {
  const hasher = new Hasher();
  let allAscii = true;
  let before = EMPTY;
  for (const piece of lines) {
    hasher.update(before);
    // The last line feed is none: each goes in before the next piece.
    hasher.update(piece.subarray(0, -1));
    before = LINE_FEED;
    allAscii &&= isAscii(piece);
  }
  // Looked at only if need be: to ask each of 80,000 names takes longer than to hash them.
  if (!allAscii && items.values().some(({ path }) => exactText(path) === null)) {
    return { value: null, reason: "name_not_utf8" };
  }
  return { value: hasher.digest(), reason: null };
}

const EMPTY = new Uint8Array();
const LINE_FEED = new Uint8Array([0x0a]);

/** The line of one file or link, with a line feed behind it. */
export function treeLine(item: TreeItem): Uint8Array {
  const line = Buffer.alloc(item.path.length + LINE_ROOM);
  return line.subarray(0, writeTreeLine(item, line, 0));
}

function writeTreeLine(item: TreeItem, into: Buffer, at: number): number {
  if (item.content.writeLineEnd !== undefined) {
    const end = at + into.write(item.path, at, "latin1");
    into[end] = 0;
    return item.content.writeLineEnd(into, end + 1);
  }
  const { sha256 } = item.content;
  return at + into.write(`${item.path}${MODE_WORDS[modeOf(item)]}${sha256}\n`, at, "latin1");
}

const MODE_WORDS = { 100644: "\x00100644\0", 100755: "\x00100755\0", 120000: "\x00120000\0" } as const;

/**
 * in-toto's dirHash (Go's Hash1, in hex): regular files only, `sha256hex  path LF`. Line feeds in names have none. Made
 * of the lines of the tree hash, which have both.
 */
export function dirHash(
  items: TreeItems,
  lines: Iterable<Uint8Array> = inPieces(items, writeTreeLine),
): DigestResult<Sha256> {
  const hasher = new Hasher();
  let room = Buffer.allocUnsafe(PIECE_BYTES);
  for (const piece of lines) {
    // Each line becomes a shorter one.
    if (piece.length > room.length) room = Buffer.allocUnsafe(piece.length);
    const length = writeDirLines(Buffer.from(piece.buffer, piece.byteOffset, piece.length), room);
    if (length === null) return { value: null, reason: "name_has_line_feed" };
    hasher.update(room.subarray(0, length));
  }
  return { value: hasher.digest(), reason: null };
}

/** Gives the bytes that were written; null when the name of a file has a line feed. */
function writeDirLines(lines: Buffer, into: Buffer): number | null {
  let length = 0;
  for (let at = 0; at < lines.length;) {
    const nameEnd = lines.indexOf(0, at);
    const end = nameEnd + LINE_ROOM - 1;
    if (lines[nameEnd + LINK_AT] !== LINK_DIGIT) {
      if (lines.indexOf(LINE_END, at) !== end) return null;
      length += lines.copy(into, length, end - SHA256_LETTERS, end);
      into[length++] = SPACE;
      into[length++] = SPACE;
      length += lines.copy(into, length, at, nameEnd);
      into[length++] = LINE_END;
    }
    at = end + 1;
  }
  return length;
}

/** Behind the nul: 100644 and 100755 are files, 120000 is a link. */
const LINK_AT = 2;
const LINK_DIGIT = "2".charCodeAt(0);
const LINE_END = "\n".charCodeAt(0);
const SPACE = " ".charCodeAt(0);

const SHA256_LETTERS = 64;
/** What a line has beside the path. */
const LINE_ROOM = SHA256_LETTERS + 9;
const PIECE_BYTES = 65_536;

/**
 * Many short lines in few pieces; all in one would be 60 MB for 80,000. A piece is good until the next one.
 */
function* inPieces(
  items: TreeItems,
  write: (item: TreeItem, into: Buffer, at: number) => number,
): Generator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let length = 0;
  for (const item of items) {
    const needed = item.path.length + LINE_ROOM;
    if (length + needed > buffer.length) {
      if (length > 0) yield buffer.subarray(0, length);
      length = 0;
      if (needed > buffer.length) buffer = Buffer.allocUnsafe(needed);
    }
    length = write(item, buffer, length);
  }
  yield buffer.subarray(0, length);
}

/**
 * The id of the git tree with exactly these files and links: what `git rev-parse HEAD:<subpath>` says when the
 * context is the commit. Every item's `content.blob` must be of the same format. Throws RangeError when one is missing.
 */
export function gitTree(items: TreeItems, format: ObjectFormat): string {
  const trees = new OpenTrees(format);
  for (const item of items) trees.placeItem(item);
  return toHex(trees.finish());
}

/** The same of what git listed itself: blobs only, in git's order. */
export function gitTreeOf(
  entries: readonly { readonly path: BytePath; readonly mode: string; readonly id: Uint8Array }[],
  format: ObjectFormat,
): string {
  const trees = new OpenTrees(format);
  for (const { path, mode, id } of entries) trees.place(path, mode, id);
  return toHex(trees.finish());
}

const LONGEST_ID = 32;
const LONGEST_DIGEST = 64;

/**
 * The trees from the root down to where the walk is. git's order is the walk's, a directory comparing as `name/`, so
 * a tree is complete when the walk leaves it. Their bodies lie one after the other in one buffer.
 */
class OpenTrees {
  /** One for all: an engine for each of 20,000 folders would leave 20 MB behind, and take longer. */
  readonly #engine: Bun.CryptoHasher;
  /** Where the engine puts a digest; it wants room for any. */
  readonly #digested = Buffer.alloc(LONGEST_DIGEST);
  readonly #id: Buffer;
  #buffer = Buffer.allocUnsafe(65_536);
  #length = 0;
  /** The directory that is being filled, with its slash; "" is the root. */
  #folder = "";
  readonly #open: { readonly name: string; readonly start: number }[] = [];

  constructor(format: ObjectFormat) {
    this.#engine = new Bun.CryptoHasher(format);
    this.#id = this.#digested.subarray(0, this.#engine.byteLength);
  }

  /** The paths come in git's order. */
  place(path: BytePath, mode: string, id: Uint8Array): void {
    this.#word(path, mode);
    this.#buffer.set(id, this.#length);
    this.#length += id.length;
  }

  /** Throws RangeError when the item has no blob id. */
  placeItem(item: TreeItem): void {
    const { path, content } = item;
    if (content.writeBlob === undefined) {
      if (content.blob === null) throw new RangeError("an item has no blob id");
      return this.place(path, modeOf(item), content.blob);
    }
    this.#word(path, modeOf(item));
    this.#length = content.writeBlob(this.#buffer, this.#length);
  }

  /** What stands before the id of a path. */
  #word(path: string, mode: string): void {
    const cut = path.lastIndexOf("/") + 1;
    if (cut !== this.#folder.length || !path.startsWith(this.#folder)) this.#enter(path.slice(0, cut));
    this.#add(mode, cut === 0 ? path : path.slice(cut));
  }

  finish(): Uint8Array {
    this.#enter("");
    this.#identify(0);
    return this.#id;
  }

  /** `folder` ends with a slash, or is "". */
  #enter(folder: string): void {
    while (!folder.startsWith(this.#folder)) this.#leave();
    for (let at = this.#folder.length; at < folder.length;) {
      const end = folder.indexOf("/", at);
      this.#open.push({ name: folder.slice(at, end), start: this.#length });
      at = end + 1;
    }
    this.#folder = folder;
  }

  /** Writes the words and leaves room for an id. */
  #add(mode: string, name: string): void {
    const needed = this.#length + mode.length + name.length + 2 + LONGEST_ID;
    if (needed > this.#buffer.length) {
      this.#buffer = Buffer.concat([this.#buffer.subarray(0, this.#length)], needed * 2);
    }
    this.#length += this.#buffer.write(mode, this.#length, "latin1");
    this.#buffer[this.#length++] = SPACE;
    this.#length += this.#buffer.write(name, this.#length, "latin1");
    this.#buffer[this.#length++] = 0;
  }

  #leave(): void {
    const left = this.#open.pop();
    if (left === undefined) throw new RangeError("the root cannot be left");
    this.#identify(left.start);
    this.#length = left.start;
    this.#folder = this.#folder.slice(0, -left.name.length - 1);
    this.#add("40000", left.name);
    this.#buffer.set(this.#id, this.#length);
    this.#length += this.#id.length;
  }

  /** Leaves the id of the tree whose body begins there in `#id`. */
  #identify(start: number): void {
    const body = this.#buffer.subarray(start, this.#length);
    this.#engine.update(`tree ${body.length}\0`).update(body).digest(this.#digested);
  }
}
