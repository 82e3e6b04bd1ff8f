import type { Entry, EntryList } from "./entry-list.ts";
import { linkContent, type FileContent, type ObjectFormat } from "./contents.ts";
import type { TreeItem, TreeItems } from "./tree-digests.ts";

/** The files and links of a list. An item is made when it is asked for, and does not stay. */
export class ListedItems implements TreeItems {
  readonly #entries: EntryList;
  readonly #contentOf: (file: number) => FileContent;
  readonly #format: ObjectFormat | null;

  /** `contentOf` knows the files by their number among the files of the list; `format` is that of the blob ids. */
  constructor(entries: EntryList, contentOf: (file: number) => FileContent, format: ObjectFormat | null) {
    this.#entries = entries;
    this.#contentOf = contentOf;
    this.#format = format;
  }

  get length(): number {
    return this.#entries.counts.file + this.#entries.counts.symlink;
  }

  [Symbol.iterator](): Generator<TreeItem, undefined> {
    return this.values();
  }

  *values(): Generator<TreeItem, undefined> {
    let file = 0;
    for (const { first, paths } of this.#entries.parts(0)) {
      for (let at = 0; at < paths.length; at++) {
        const path = paths[at];
        if (path === undefined) continue;
        // Without an object for the entry: nearly all are files.
        if (this.#entries.isFile(first + at)) yield { path, kind: "file", content: this.#contentOf(file++) };
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
