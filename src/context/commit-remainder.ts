import type { CommitTree, ListingReader, TreeEntry } from "../source/commit-tree.ts";
import { bytePathOf, type BytePath } from "./byte-path.ts";
import { modeOf, type TreeItem, type TreeItems } from "./tree-digests.ts";

export type Remainder = { readonly entries: readonly TreeEntry[]; readonly items: readonly TreeItem[] };

/**
 * What is left of a commit and of the items without what both have, and without the entries that the ignore rules keep
 * out. git's order is that of the items: what is equal is passed over side by side, and no object made of it.
 */
export function remainderOf(
  committed: CommitTree,
  items: TreeItems,
  isIgnored: (path: BytePath) => boolean,
): Remainder {
  const left: { entries: TreeEntry[]; items: TreeItem[] } = { entries: [], items: [] };
  const reader = committed.read();
  const id = Buffer.alloc(LONGEST_ID);
  for (const item of items) {
    if (passOver(item, reader, id)) continue;
    passUpTo(item.path, reader, left.entries, isIgnored);
    left.items.push(item);
  }
  passUpTo(null, reader, left.entries, isIgnored);
  return left;
}

/** Whether the item is the next entry, which is passed over then; there is room in `id` for one. */
function passOver(item: TreeItem, reader: ListingReader, id: Buffer): boolean {
  const { path, content } = item;
  const mode = modeOf(item);
  if (content.writeBlob !== undefined) return reader.skipIf(mode, path, id, content.writeBlob(id, 0));
  return content.blob !== null && reader.skipIf(mode, path, content.blob, content.blob.length);
}

/** Keeps the entries up to a path, null being the end of all, that no rule keeps out; what ships stays in any case. */
function passUpTo(
  shipped: BytePath | null,
  reader: ListingReader,
  kept: TreeEntry[],
  isIgnored: (path: BytePath) => boolean,
): void {
  for (let entry = reader.next; entry !== null; entry = reader.next) {
    const path = bytePathOf(entry.path);
    if (shipped !== null && path > shipped) return;
    if (path === shipped || !isIgnored(path)) kept.push(entry);
    reader.skip();
  }
}

const LONGEST_ID = 32;
