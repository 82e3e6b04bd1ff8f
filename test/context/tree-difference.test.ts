import { expect, test } from "bun:test";
import fc from "fast-check";
import { sha256Of } from "../../src/base/hashing.ts";
import { bytePathFromText } from "../../src/context/byte-path.ts";
import { differenceOf, leavesOfItems } from "../../src/context/tree-difference.ts";
import type { TreeItem } from "../../src/context/tree-digests.ts";
import { compareTrees, treeLines } from "../../src/context/verify-source.ts";

const item = fc
  .record({
    path: fc.constantFrom("a", "a/b", "a-b", "a.b", "\u00e9", "z"),
    text: fc.constantFrom("", "x", "y"),
    executable: fc.boolean(),
    link: fc.boolean(),
  })
  .map(({ path, text, executable, link }): TreeItem => ({
    path: bytePathFromText(path),
    kind: link ? "symlink" : "file",
    content: { sha256: sha256Of(text), blob: null, size: text.length, executable },
  }));
const tree = fc.uniqueArray(item, { selector: ({ path }) => path });

test("both comparisons of trees find the same files, and none on equal sides", () => {
  fc.assert(
    fc.property(tree, tree, (a, b) => {
      const { differences, checked } = differenceOf(leavesOfItems(a), leavesOfItems(b));
      const other = compareTrees(treeLines(a), treeLines(b));
      const wanted = [...other.added, ...other.missing, ...other.modified, ...other.mode_only];
      const shown = differences.map(({ path }) => Buffer.from(path, "latin1").toString());
      expect(shown.sort()).toEqual(wanted.sort());
      expect(checked).toBe(new Set([...a, ...b].map(({ path }) => path)).size);
      expect(differenceOf(leavesOfItems(a), leavesOfItems(a)).differences).toEqual([]);
    }),
  );
});

test("the two sides of a comparison are mirror images", () => {
  const mirrored = { added: "removed", removed: "added", modified: "modified", mode: "mode", type: "type" };
  fc.assert(
    fc.property(tree, tree, (a, b) => {
      const there = differenceOf(leavesOfItems(a), leavesOfItems(b)).differences;
      const back = differenceOf(leavesOfItems(b), leavesOfItems(a)).differences;
      expect(back.map(({ path, how }) => [path, how])).toEqual(
        there.map(({ path, how }) => [path, mirrored[how]] as never),
      );
    }),
  );
});
