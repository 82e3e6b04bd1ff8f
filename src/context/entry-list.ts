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

  /** The entries from one on; those that are added meanwhile, too. */
  *from(begin: number): Generator<Entry, undefined> {
    for (let index = begin; index < this.length;) {
      const paths = this.#paths(Math.floor(index / BLOCK));
      for (let at = index % BLOCK; at < paths.length; at++) {
        const path = paths[at];
        if (path !== undefined) yield this.#entry(index++, path);
      }
    }
  }

  /** The links, each with the number of files that are listed before it. */
  *links(): Generator<{ readonly link: Link; readonly filesBefore: number }, undefined> {
    for (const [index, { target, filesBefore }] of this.#links) {
      const path = this.#paths(Math.floor(index / BLOCK))[index % BLOCK];
      if (path !== undefined) yield { link: { kind: "symlink", path, target }, filesBefore };
    }
  }

  #entry(index: number, path: BytePath): Entry {
    const kind = KINDS[this.#kinds[index] ?? 0] ?? "file";
    return kind === "symlink"
      ? { kind, path, target: this.#links.get(index)?.target ?? path }
      : { kind, path };
  }

  #paths(block: number): readonly BytePath[] {
    return (this.#blocks[block]?.split(BETWEEN) as BytePath[] | undefined) ?? this.#open; // oxlint-disable-line typescript/no-unsafe-type-assertion -- byte paths, joined and cut again
  }
}
