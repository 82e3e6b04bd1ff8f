import { toHex } from "../base/encoding.ts";
import type { BytePath } from "./byte-path.ts";
import type { ObjectFormat } from "./contents.ts";
import { modeOf, type TreeItem, type TreeItems } from "./tree-digests.ts";

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

const SPACE = " ".charCodeAt(0);
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
