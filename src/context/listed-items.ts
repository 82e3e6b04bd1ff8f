import type { BytePath } from "./byte-path.ts";
import type { Entry, EntryList } from "./entry-list.ts";
import { linkContent, type ObjectFormat } from "./contents.ts";
import type { TreeItem, TreeItems } from "./tree-digests.ts";

/** What was read of the files of a list; each is known by its number among them. */
export type FileContents = {
  item(path: BytePath, file: number): TreeItem;
  /** The bytes of each of the first files, some hundred at a time. */
  sizes(count: number): Iterable<Float64Array>;
};

/** The files and links of a list. An item is made when it is asked for, and does not stay. */
export class ListedItems implements TreeItems {
  readonly #entries: EntryList;
  readonly #contents: FileContents;
  readonly #format: ObjectFormat | null;

  /** `format` is that of the blob ids. */
  constructor(entries: EntryList, contents: FileContents, format: ObjectFormat | null) {
    this.#entries = entries;
    this.#contents = contents;
    this.#format = format;
  }

  get length(): number {
    return this.#entries.counts.file + this.#entries.counts.symlink;
  }

  [Symbol.iterator](): Generator<TreeItem, undefined> {
    return this.values();
  }

  /** The bytes of each file in order, some hundred at a time and without an item for any. */
  sizes(): Iterable<Float64Array> {
    return this.#contents.sizes(this.#entries.counts.file);
  }

  /** The paths of some files. */
  filePaths(files: ReadonlySet<number>): ReadonlyMap<number, BytePath> {
    return this.#entries.filePaths(files);
  }

  *values(): Generator<TreeItem, undefined> {
    let file = 0;
    for (const { first, paths } of this.#entries.parts(0)) {
      for (let at = 0; at < paths.length; at++) {
        const path = paths[at];
        if (path === undefined) continue;
        // Without an object for the entry: nearly all are files.
        if (this.#entries.isFile(first + at)) yield this.#contents.item(path, file++);
        else {
          const entry = this.#entries.entry(first + at, path);
          if (entry.kind === "symlink") yield linkItem(entry, this.#format);
        }
      }
    }
  }
}

/** A link's content is the path that it points to. */
export function linkItem(
  { path, target }: Extract<Entry, { kind: "symlink" }>,
  format: ObjectFormat | null,
): TreeItem {
  return { path, kind: "symlink", content: linkContent(target, format) };
}
