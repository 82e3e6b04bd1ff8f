import { isAscii } from "node:buffer";
import { Hasher } from "../base/hashing.ts";
import type { Sha256 } from "../base/digest.ts";
import { exactText, type BytePath } from "./byte-path.ts";
import type { FileContent } from "./contents.ts";

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
  lines: Iterable<Uint8Array> = inPieces(items),
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
  lines: Iterable<Uint8Array> = inPieces(items),
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
function* inPieces(items: TreeItems): Generator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let length = 0;
  for (const item of items) {
    const needed = item.path.length + LINE_ROOM;
    if (length + needed > buffer.length) {
      if (length > 0) yield buffer.subarray(0, length);
      length = 0;
      if (needed > buffer.length) buffer = Buffer.allocUnsafe(needed);
    }
    length = writeTreeLine(item, buffer, length);
  }
  yield buffer.subarray(0, length);
}
