import { isAscii } from "node:buffer";
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

export type DigestResult<T extends string = string> =
  | { readonly value: T; readonly reason: null }
  | { readonly value: null; readonly reason: string };

export function modeOf(item: TreeItem): "100644" | "100755" | "120000" {
  if (item.kind === "symlink") return "120000";
  return item.content.executable ? "100755" : "100644";
}

const MODE_WORDS = { 100644: "\x00100644\0", 100755: "\x00100755\0", 120000: "\x00120000\0" } as const;

/**
 * The compatible tree hash: sha256 over the lines `path NUL mode NUL sha256hex`, in byte order of the whole path,
 * joined by line feeds, none at the end. Directories, owners and times have no part in it. The original could not
 * name a file whose name is not UTF-8, so there is no hash then, with the reason `name_not_utf8`.
 */
export function workingTreeHash(items: readonly TreeItem[]): DigestResult<Sha256> {
  const hasher = new TextHasher();
  let before = "";
  for (const item of items) {
    hasher.add(before + item.path + MODE_WORDS[modeOf(item)]);
    hasher.addSha256(item.content);
    before = "\n";
  }
  // Looked at only if need be: to ask each of 80,000 names takes longer than to hash them.
  if (!hasher.isAscii && items.some(({ path }) => exactText(path) === null)) {
    return { value: null, reason: "name_not_utf8" };
  }
  return { value: hasher.digest(), reason: null };
}

/** in-toto's dirHash (Go's Hash1, in hex): regular files only, `sha256hex  path LF`. Line feeds in names have none. */
export function dirHash(items: readonly TreeItem[]): DigestResult<Sha256> {
  const hasher = new TextHasher();
  for (const { kind, path, content } of items) {
    if (kind !== "file") continue;
    if (path.includes("\n")) return { value: null, reason: "name_has_line_feed" };
    hasher.addSha256(content);
    hasher.add("  ");
    hasher.add(path);
    hasher.add("\n");
  }
  return { value: hasher.digest(), reason: null };
}

const SHA256_HEX = 64;

/** Feeds many short byte strings to the hash in large pieces; joining them as strings would cost 60 MB for 80,000. */
class TextHasher {
  readonly #hasher = new Hasher();
  readonly #buffer = Buffer.allocUnsafe(65_536);
  #length = 0;
  #isAscii = true;

  /** Whether all that was added is ASCII. */
  get isAscii(): boolean {
    this.#flush();
    return this.#isAscii;
  }

  add(text: string): void {
    if (this.#length + text.length > this.#buffer.length) this.#flush();
    if (text.length > this.#buffer.length) this.#update(Buffer.from(text, "latin1"));
    else this.#length += this.#buffer.write(text, this.#length, "latin1");
  }

  addSha256(content: FileContent): void {
    if (content.writeSha256 === undefined) return this.add(content.sha256);
    if (this.#length + SHA256_HEX > this.#buffer.length) this.#flush();
    content.writeSha256(this.#buffer, this.#length);
    this.#length += SHA256_HEX;
  }

  digest(): Sha256 {
    this.#flush();
    return this.#hasher.digest();
  }

  #flush(): void {
    this.#update(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }

  #update(bytes: Uint8Array): void {
    this.#isAscii &&= isAscii(bytes);
    this.#hasher.update(bytes);
  }
}

/**
 * The id of the git tree with exactly these files and links: what `git rev-parse HEAD:<subpath>` says when the
 * context is the commit. Every item's `content.blob` must be of the same format. Throws RangeError when one is missing.
 */
export function gitTree(items: readonly TreeItem[], format: ObjectFormat): string {
  const trees = new OpenTrees(format);
  for (const item of items) {
    if (item.content.blob === null) throw new RangeError("an item has no blob id");
    trees.place(item.path, modeOf(item), item.content.blob);
  }
  return Buffer.from(trees.finish()).toString("hex");
}

/** The same of what git listed itself: blobs only, in git's order. */
export function gitTreeOf(
  entries: readonly { readonly path: BytePath; readonly mode: string; readonly id: Uint8Array }[],
  format: ObjectFormat,
): string {
  const trees = new OpenTrees(format);
  for (const { path, mode, id } of entries) trees.place(path, mode, id);
  return Buffer.from(trees.finish()).toString("hex");
}

/**
 * The trees from the root down to where the walk is. git's order is the walk's, a directory comparing as `name/`, so
 * a tree is complete when the walk leaves it. Their bodies lie one after the other in one buffer.
 */
class OpenTrees {
  readonly #format: ObjectFormat;
  #buffer = Buffer.allocUnsafe(65_536);
  #length = 0;
  /** The directory that is being filled, with its slash; "" is the root. */
  #folder = "";
  readonly #open: { readonly name: string; readonly start: number }[] = [];

  constructor(format: ObjectFormat) {
    this.#format = format;
  }

  /** The paths come in git's order. */
  place(path: BytePath, mode: string, id: Uint8Array): void {
    const cut = path.lastIndexOf("/") + 1;
    this.#enter(path.slice(0, cut));
    this.#add(mode, path.slice(cut), id);
  }

  finish(): Uint8Array {
    this.#enter("");
    return this.#id(0);
  }

  /** `folder` ends with a slash, or is "". */
  #enter(folder: string): void {
    if (folder === this.#folder) return;
    while (!folder.startsWith(this.#folder)) this.#leave();
    for (let at = this.#folder.length; at < folder.length;) {
      const end = folder.indexOf("/", at);
      this.#open.push({ name: folder.slice(at, end), start: this.#length });
      at = end + 1;
    }
    this.#folder = folder;
  }

  #add(mode: string, name: string, id: Uint8Array): void {
    const words = `${mode} ${name}\0`;
    const needed = this.#length + words.length + id.length;
    if (needed > this.#buffer.length) {
      this.#buffer = Buffer.concat([this.#buffer.subarray(0, this.#length)], needed * 2);
    }
    this.#length += this.#buffer.write(words, this.#length, "latin1");
    this.#buffer.set(id, this.#length);
    this.#length += id.length;
  }

  #leave(): void {
    const left = this.#open.pop();
    if (left === undefined) throw new RangeError("the root cannot be left");
    const id = this.#id(left.start);
    this.#length = left.start;
    this.#folder = this.#folder.slice(0, -left.name.length - 1);
    this.#add("40000", left.name, id);
  }

  #id(start: number): Uint8Array {
    const body = this.#buffer.subarray(start, this.#length);
    return new Bun.CryptoHasher(this.#format).update(`tree ${body.length}\0`).update(body).digest();
  }
}
