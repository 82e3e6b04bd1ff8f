import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { toHex } from "../../src/base/encoding.ts";
import { sha256Of } from "../../src/base/hashing.ts";
import { bytePathFromText, bytePathOf, bytesOf } from "../../src/context/byte-path.ts";
import {
  differenceOf,
  leavesOfCommit,
  leavesOfItems,
  type How,
  type Leaf,
} from "../../src/context/tree-difference.ts";
import { departuresFrom, type CommittedEntry } from "../../src/context/matches-commit.ts";
import { modeOf, type TreeItem } from "../../src/context/tree-digests.ts";

const idOf = (text: string): Uint8Array => new Bun.CryptoHasher("sha1").update(text).digest();

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
    content: { sha256: sha256Of(text), blob: idOf(text), size: text.length, executable },
  }));
const tree = fc.uniqueArray(item, { selector: ({ path }) => path });

/** The same as a commit has it. */
function committed(items: readonly TreeItem[]): CommittedEntry[] {
  return items.map((one) => ({
    path: bytesOf(one.path),
    mode: modeOf(one),
    id: toHex(one.content.blob ?? EMPTY),
  }));
}
const EMPTY = new Uint8Array();

test("both comparisons of trees find the same files, and none on equal sides", () => {
  fc.assert(
    fc.property(tree, tree, (a, b) => {
      const { differences, checked } = differenceOf(leavesOfItems(a), leavesOfItems(b));
      const departures = departuresFrom(committed(a), [], b, () => false);
      const wanted = new Set(departures.map(({ path }) => path));
      expect(new Set(differences.map(({ path }) => path))).toEqual(wanted);
      const byCommit = differenceOf(leavesOfCommit(committed(a)), leavesOfItems(b)).differences;
      expect(new Set(byCommit.map(({ path }) => path))).toEqual(wanted);
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

type Ids = Partial<Pick<Leaf, "mode" | "sha256" | "blob">>;

function leaf(path: string, { mode = "100644", sha256 = null, blob = null }: Ids = {}): Leaf {
  return { path: bytePathFromText(path), mode, size: null, sha256, blob };
}

const SHA256 = { sha256: "0".repeat(64) };
const SHORT = { blob: "0".repeat(40) };
const LONG = { blob: "0".repeat(64) };
const LINK = { mode: "120000" };
const GITLINK = { mode: "160000", blob: "1".repeat(40) };

type Difference = readonly [path: string, how: How, a: Leaf | null, b: Leaf | null];

describe("two trees", () => {
  const [file, program, link] = [
    leaf("a", SHORT),
    leaf("a", { ...SHORT, mode: "100755" }),
    leaf("a", { ...SHORT, ...LINK }),
  ];
  const other = leaf("a", { blob: "2".repeat(40) });
  const beside = leaf("b", SHORT);
  test.each<[string, Leaf[], Leaf[], number, Difference[]]>([
    ["nothing", [], [], 0, []],
    ["equal ones", [file, beside], [file, beside], 2, []],
    ["another content", [file], [other], 1, [["a", "modified", file, other]]],
    ["another mode", [file], [program], 1, [["a", "mode", file, program]]],
    ["another kind", [link], [file], 1, [["a", "type", link, file]]],
    ["another kind with another content", [other], [link], 1, [["a", "type", other, link]]],
    [
      "links with other targets",
      [link],
      [{ ...other, ...LINK }],
      1,
      [["a", "modified", link, { ...other, ...LINK }]],
    ],
    ["another content and mode", [program], [other], 1, [["a", "modified", program, other]]],
    [
      "what is on one side alone, in the order of the paths",
      [beside],
      [leaf("c", SHORT), file],
      3,
      [
        ["a", "added", null, file],
        ["b", "removed", beside, null],
        ["c", "added", null, leaf("c", SHORT)],
      ],
    ],
    ["what is left of nothing", [file], [], 1, [["a", "removed", file, null]]],
    [
      "a digest that all have, before one that some have",
      [leaf("a", { ...SHA256, ...SHORT })],
      [leaf("a", SHA256)],
      1,
      [],
    ],
    [
      "digests of contents before the ids of git",
      [leaf("a", { ...SHA256, ...SHORT })],
      [leaf("a", { ...SHA256, ...LONG })],
      1,
      [],
    ],
    ["ids of git where one side has no more", [leaf("a", { ...SHA256, ...SHORT })], [file], 1, []],
    ["ids of the longer kind", [leaf("a", LONG)], [leaf("a", LONG)], 1, []],
  ])("%s", (_, a, b, checked, differences) => {
    const found = differenceOf(a, b);
    expect([found.checked, found.notCompared]).toEqual([checked, []]);
    expect(found.differences.map(({ path, how, a, b }) => [path, how, a, b] as const)).toEqual<unknown>(
      differences,
    );
  });

  test.each<[string, Leaf[], Leaf[], number, string[], string[]]>([
    ["a submodule on both sides", [leaf("s", GITLINK)], [leaf("s", GITLINK)], 0, [], ["s"]],
    [
      "one whose files the other side knows",
      [leaf("s", GITLINK)],
      [leaf("s/a", SHORT), leaf("s/b/c", SHORT)],
      0,
      [],
      ["s"],
    ],
    ["the other way round", [leaf("s/a", SHORT)], [leaf("s", GITLINK)], 0, [], ["s"]],
    [
      "what lies beside it",
      [leaf("s", GITLINK), leaf("sa", SHORT)],
      [leaf("t/s/a", SHORT)],
      2,
      ["sa", "t/s/a"],
      ["s"],
    ],
    ["two of them", [leaf("s", GITLINK)], [leaf("t", GITLINK)], 0, [], ["s", "t"]],
    [
      "one, and files that know no ids of git",
      [leaf("s", GITLINK), leaf("a", SHA256)],
      [leaf("a", SHA256)],
      1,
      [],
      ["s"],
    ],
  ])("%s", (_, a, b, checked, differing, notCompared) => {
    const found = differenceOf(a, b);
    const paths: string[] = found.differences.map(({ path }) => path);
    expect([found.checked, paths, found.notCompared.map(String)]).toEqual([checked, differing, notCompared]);
  });

  test.each<[string, Leaf[], Leaf[]]>([
    ["a digest of contents and ids of git", [leaf("a", SHA256)], [leaf("a", SHORT)]],
    ["ids of two kinds", [leaf("a", SHORT)], [leaf("a", LONG)]],
    ["ids of two kinds on one side", [leaf("a", SHORT), leaf("b", LONG)], []],
    ["none", [leaf("a")], []],
    ["none for one of the files", [leaf("a", SHORT), leaf("b")], [leaf("a", SHORT)]],
  ])("with %s have nothing to compare", (_, a, b) => {
    expect(() => differenceOf(a, b)).toThrow(expect.objectContaining({ code: "nothing_checked" }));
  });
});

test("a leaf is what its item or its commit says", () => {
  const content = { sha256: sha256Of("x"), blob: null, size: 1, executable: true };
  const item = { path: bytePathFromText("a"), kind: "file", content } as const;
  const items = [item, { ...item, content: { ...content, blob: Buffer.of(1, 255) } }];
  const said = { path: bytePathFromText("a"), mode: "100755", size: 1, sha256: sha256Of("x") };
  expect<Leaf[]>(leavesOfItems(items)).toEqual([
    { ...said, blob: null },
    { ...said, blob: "01ff" },
  ]);
  const raw = Buffer.of(0xe9);
  expect(leavesOfCommit([{ path: raw, mode: "100644", id: "1" }])).toEqual([
    { path: bytePathOf(raw), mode: "100644", size: null, sha256: null, blob: "1" },
  ]);
});
