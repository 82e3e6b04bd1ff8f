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

/**
 * The compatible tree hash: sha256 over the lines `path NUL mode NUL sha256hex`, in byte order of the whole path,
 * joined by line feeds, none at the end. Directories, owners and times have no part in it. The original could not
 * name a file whose name is not UTF-8, so there is no hash then, with the reason `name_not_utf8`.
 */
export function workingTreeHash(items: readonly TreeItem[]): DigestResult<Sha256> {
  if (items.some((item) => exactText(item.path) === null)) return { value: null, reason: "name_not_utf8" };
  const hasher = new LineHasher();
  for (const item of items) hasher.add(`${item.path}\0${modeOf(item)}\0${item.content.sha256}`, "\n");
  return { value: hasher.digest(), reason: null };
}

/** in-toto's dirHash (Go's Hash1, in hex): regular files only, `sha256hex  path LF`. Line feeds in names have none. */
export function dirHash(items: readonly TreeItem[]): DigestResult<Sha256> {
  const files = items.filter((item) => item.kind === "file");
  if (files.some((item) => item.path.includes("\n"))) return { value: null, reason: "name_has_line_feed" };
  const hasher = new LineHasher();
  for (const item of files) hasher.add(`${item.content.sha256}  ${item.path}\n`, "");
  return { value: hasher.digest(), reason: null };
}

/** Feeds many short lines to the hash in large pieces. Lines are byte strings. */
class LineHasher {
  readonly #hasher = new Hasher();
  #waiting: string[] = [];
  #first = true;

  add(line: string, separator: string): void {
    this.#waiting.push(this.#first ? line : separator + line);
    this.#first = false;
    if (this.#waiting.length >= 512) this.#flush();
  }

  digest(): Sha256 {
    this.#flush();
    return this.#hasher.digest();
  }

  #flush(): void {
    this.#hasher.update(Buffer.from(this.#waiting.join(""), "latin1"));
    this.#waiting = [];
  }
}

type Node = {
  readonly trees: Map<string, Node>;
  readonly parts: { name: string; mode: string; id: Uint8Array }[];
};

/**
 * The id of the git tree with exactly these files and links: what `git rev-parse HEAD:<subpath>` says when the
 * context is the commit. Every item's `content.blob` must be of the same format. Throws RangeError when one is missing.
 */
export function gitTree(items: readonly TreeItem[], format: ObjectFormat): string {
  const top: Node = { trees: new Map(), parts: [] };
  for (const item of items) {
    if (item.content.blob === null) throw new RangeError("an item has no blob id");
    const names = item.path.split("/");
    const last = names.pop() ?? "";
    let node = top;
    for (const name of names) {
      let next = node.trees.get(name);
      if (next === undefined) node.trees.set(name, (next = { trees: new Map(), parts: [] }));
      node = next;
    }
    node.parts.push({ name: last, mode: modeOf(item), id: item.content.blob });
  }
  return Buffer.from(treeId(top, format)).toString("hex");
}

function treeId(node: Node, format: ObjectFormat): Uint8Array {
  const parts = [...node.parts];
  for (const [name, child] of node.trees) parts.push({ name, mode: "40000", id: treeId(child, format) });
  parts.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const body = Buffer.concat(
    parts.flatMap((part) => [Buffer.from(`${part.mode} ${part.name}\0`, "latin1"), Buffer.from(part.id)]),
  );
  return new Bun.CryptoHasher(format).update(`tree ${body.length}\0`).update(body).digest();
}

/** git compares a directory as if its name ended with a slash. */
function sortKey(part: { name: string; mode: string }): string {
  return part.mode === "40000" ? `${part.name}/` : part.name;
}
