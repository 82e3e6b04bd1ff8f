import { keepMethodsFromLastCompiler } from "../host/compiler.ts";
import type { BytePath } from "./byte-path.ts";

export type Entry =
  | { readonly kind: "file"; readonly path: BytePath }
  | { readonly kind: "directory"; readonly path: BytePath }
  | { readonly kind: "symlink"; readonly path: BytePath; readonly target: BytePath };

type Link = Extract<Entry, { kind: "symlink" }>;

const BLOCK = 256;
/** No name holds one. */
const BETWEEN = "\0";
const KINDS = ["file", "directory", "symlink"] as const;
const FILE = KINDS.indexOf("file");
const EMPTY: readonly BytePath[] = [];

/**
 * What was listed, in order. An entry as an object with strings of its own takes 300 bytes, and 100,000 of them would
 * stay as long as the capture: so the paths are joined, some hundred to a string, and taken apart when they are wanted.
 */
export class EntryList implements Iterable<Entry> {
  length = 0;
  readonly counts: Record<Entry["kind"], number> = { file: 0, directory: 0, symlink: 0 };
  readonly #blocks: string[] = [];
  /** Of the last block, which is not full. */
  #open: BytePath[] = [];
  #kinds = new Uint8Array(4 * BLOCK);
  readonly #links = new Map<number, { readonly target: BytePath; readonly filesBefore: number }>();

  add(entry: Entry): void {
    const { kind, path } = entry;
    if (this.length === this.#kinds.length) {
      this.#kinds = new Uint8Array(this.#kinds.buffer.transfer(2 * this.length));
    }
    if (kind === "symlink") {
      this.#links.set(this.length, { target: entry.target, filesBefore: this.counts.file });
    }
    this.#kinds[this.length++] = KINDS.indexOf(kind);
    this.counts[kind]++;
    this.#open.push(path);
    if (this.#open.length < BLOCK) return;
    this.#blocks.push(this.#open.join(BETWEEN));
    this.#open = [];
  }

  [Symbol.iterator](): Generator<Entry, undefined> {
    return this.from(0);
  }

  /** The entries from one on. */
  *from(begin: number): Generator<Entry, undefined> {
    for (const { first, paths } of this.parts(begin)) {
      for (let at = Math.max(0, begin - first); at < paths.length; at++) {
        const path = paths[at];
        if (path !== undefined) yield this.entry(first + at, path);
      }
    }
  }

  /** The paths in parts, beginning with the one that holds an entry; `first` is the number of a part's first one. */
  *parts(
    begin: number,
  ): Generator<{ readonly first: number; readonly paths: readonly BytePath[] }, undefined> {
    for (let first = begin - (begin % BLOCK); first < this.length; first += BLOCK) {
      yield { first, paths: this.#paths(first / BLOCK) };
    }
  }

  isFile(index: number): boolean {
    return this.#kinds[index] === FILE;
  }

  /** The entry of a number, whose path is at hand. */
  entry(index: number, path: BytePath): Entry {
    const kind = KINDS[this.#kinds[index] ?? FILE] ?? "file";
    return kind === "symlink"
      ? { kind, path, target: this.#links.get(index)?.target ?? path }
      : { kind, path };
  }

  /** The paths of some files, which are known by their number among all files. */
  filePaths(files: ReadonlySet<number>): ReadonlyMap<number, BytePath> {
    const found = new Map<number, BytePath>();
    let file = 0;
    for (let index = 0; index < this.length && found.size < files.size; index++) {
      if (!this.isFile(index)) continue;
      const path = files.has(file) ? this.#paths(Math.floor(index / BLOCK))[index % BLOCK] : undefined;
      if (path !== undefined) found.set(file, path);
      file++;
    }
    return found;
  }

  /** The links, each with the number of files that are listed before it. */
  *links(): Generator<{ readonly link: Link; readonly filesBefore: number }, undefined> {
    let [block, paths] = [-1, EMPTY];
    for (const [index, { target, filesBefore }] of this.#links) {
      // In order: a block is taken apart once, however many of its entries are links.
      if (block !== Math.floor(index / BLOCK)) {
        block = Math.floor(index / BLOCK);
        paths = this.#paths(block);
      }
      const path = paths[index % BLOCK];
      if (path !== undefined) yield { link: { kind: "symlink", path, target }, filesBefore };
    }
  }

  #paths(block: number): readonly BytePath[] {
    return (this.#blocks[block]?.split(BETWEEN) as BytePath[] | undefined) ?? this.#open; // oxlint-disable-line typescript/no-unsafe-type-assertion -- byte paths, joined and cut again
  }
}

keepMethodsFromLastCompiler(EntryList, "add");
