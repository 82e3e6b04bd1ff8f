import { expect, test } from "bun:test";
import fc from "fast-check";
import { toHex } from "../../src/base/encoding.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { bytePathFromText, bytesOf, type BytePath } from "../../src/context/byte-path.ts";
import { remainderOf } from "../../src/context/commit-remainder.ts";
import { departuresFrom, type Departure } from "../../src/context/matches-commit.ts";
import { modeOf, type TreeItem } from "../../src/context/tree-digests.ts";
import { CommitTree } from "../../src/source/commit-tree.ts";

function item(path: string, text: string, executable: boolean, link: boolean, quick: boolean): TreeItem {
  const blob = Buffer.from(new Bun.CryptoHasher("sha1").update(text).digest());
  return {
    path: bytePathFromText(path),
    kind: link ? "symlink" : "file",
    content: {
      sha256: sha256Of(text),
      blob,
      size: text.length,
      executable,
      ...(quick
        ? { writeBlob: (into: Uint8Array, at: number) => (into.set(blob, at), at + blob.length) }
        : {}),
    },
  };
}

const name = fc.constantFrom("a", "b", "a-", "a.b", "ü", "a\nb", "\u{1f600}");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const text = fc.constantFrom("x", "y");
const file = fc.tuple(path, text, fc.boolean(), fc.boolean(), fc.boolean()).map((parts) => item(...parts));
/** In git's order, which is the walk's, and no file in the place of a folder. */
const tree = fc
  .uniqueArray(file, { selector: (one) => one.path, maxLength: 12 })
  .map((items) =>
    items
      .filter(({ path: own }) => !items.some((other) => other.path.startsWith(`${own}/`)))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  );

/** As `git ls-tree -r -z` prints it. */
function listing(items: readonly TreeItem[], submodule: boolean): CommitTree {
  const entries = items.map((one) =>
    Buffer.concat([
      Buffer.from(`${modeOf(one)} blob ${toHex(one.content.blob ?? NONE)}\t`),
      bytesOf(one.path),
      Buffer.of(0),
    ]),
  );
  if (submodule) entries.push(Buffer.from(`160000 commit ${"0".repeat(40)}\tz\0`));
  return new CommitTree(Buffer.concat(entries));
}
const NONE = new Uint8Array();

const told = ({ kind, path: at, committed }: Departure): string => `${kind} ${at} ${committed}`;

test("what is left of a commit and a context departs as the whole of both does", () => {
  fc.assert(
    fc.property(tree, tree, fc.subarray(["a", "b", "ü"]), fc.boolean(), (before, now, ignored, submodule) => {
      const isIgnored = (at: BytePath): boolean =>
        ignored.some((one) => at.startsWith(bytePathFromText(one)));
      const committed = listing(before, submodule);
      const { entries, items } = remainderOf(committed, now, isIgnored);
      expect(departuresFrom(entries, [], items, isIgnored).map(told).toSorted()).toEqual(
        departuresFrom(committed, [], now, isIgnored).map(told).toSorted(),
      );
    }),
    { numRuns: 2000 },
  );
});

test("of equal sides nothing is left but submodules", () => {
  fc.assert(
    fc.property(tree, (items) => {
      expect(remainderOf(listing(items, false), items, () => false)).toEqual({ entries: [], items: [] });
      expect(remainderOf(listing(items, true), items, () => false).entries).toMatchObject([
        { mode: "160000" },
      ]);
    }),
  );
});

test("what no rule lets through is left out, unless it ships; an item without an id is no commit's", () => {
  const [a, b] = [item("a", "x", false, false, true), item("b", "x", false, false, false)];
  const changed = item("a", "y", false, false, true);
  expect(remainderOf(listing([a, b], false), [], () => true).entries).toEqual([]);
  expect(remainderOf(listing([a, b], false), [changed], () => true)).toMatchObject({
    entries: [{ path: Buffer.from("a") }],
    items: [changed],
  });
  const unread = { ...b, content: { ...b.content, blob: null } };
  expect(remainderOf(listing([a, b], false), [a, unread], () => false)).toMatchObject({
    entries: [{ path: Buffer.from("b") }],
    items: [unread],
  });
});

test("a listing that ends in the middle is read to its end", () => {
  const cut = new CommitTree(Buffer.from(`100644 blob ${"0".repeat(40)}\ta`));
  expect([...cut].map(({ path: at }) => at.toString())).toEqual(["a"]);
});
