import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { sha256Of } from "../../src/base/hashing.ts";
import { bytePathOf } from "../../src/context/byte-path.ts";
import type { ObjectFormat } from "../../src/context/contents.ts";
import { gitTree, gitTreeOf } from "../../src/context/git-tree.ts";
import { dirHash, modeOf, treeLine, workingTreeHash, type TreeItem } from "../../src/context/tree-digests.ts";
import { referenceTreeHash, type Leaf } from "./support/reference-hashes.ts";

function leaf(path: string | Buffer, mode = "100644", content = ""): Leaf {
  return { path: Buffer.from(path), mode, content: Buffer.from(content) };
}

const byPath = (a: Leaf, b: Leaf): number => Buffer.compare(a.path, b.path);

function blobOf(content: Buffer, format: ObjectFormat): Buffer {
  return createHash(format).update(`blob ${content.length}\0`).update(content).digest();
}

/**
 * In the order of the walk. Of every third one the digests lie in memory, as in a large context: what they say as text
 * is then another one.
 */
function itemsOf(leaves: readonly Leaf[], format: ObjectFormat = "sha1"): TreeItem[] {
  return leaves.toSorted(byPath).map(({ path, mode, content }, index): TreeItem => {
    const sha256 = sha256Of(content);
    const blob = blobOf(content, format);
    const isInMemory = index % 3 === 2;
    const write = (what: Uint8Array, into: Uint8Array, at: number): number => {
      into.set(what, at);
      return at + what.length;
    };
    const inMemory = {
      writeLineEnd: (into: Uint8Array, at: number): number =>
        write(Buffer.from(`${mode}\0${sha256}\n`), into, at),
      writeBlob: (into: Uint8Array, at: number): number => write(blob, into, at),
    };
    return {
      path: bytePathOf(path),
      kind: mode === "120000" ? "symlink" : "file",
      content: {
        sha256: isInMemory ? sha256Of("asked for as text") : sha256,
        ...(isInMemory ? inMemory : {}),
        blob: isInMemory ? new Uint8Array(blob.length) : blob,
        size: content.length,
        executable: mode === "100755",
      },
    };
  });
}

/** in-toto's dirHash by its definition, of names without line feeds. */
function referenceDirHash(leaves: readonly Leaf[]): string {
  const lines = leaves
    .filter(({ mode }) => mode !== "120000")
    .toSorted((a, b) => Buffer.compare(a.path, b.path))
    .map(({ path, content }) => Buffer.concat([Buffer.from(`${sha256Of(content)}  `), path, Buffer.of(10)]));
  return createHash("sha256").update(Buffer.concat(lines)).digest("hex");
}

/** A tree object by its definition: the entries by name, a folder's as if it ended in a slash. */
function referenceGitTree(leaves: readonly Leaf[], format: ObjectFormat): Buffer {
  const names = new Map<string, Leaf[] | Leaf>();
  for (const one of leaves) {
    const path = one.path.toString("latin1");
    const slash = path.indexOf("/");
    const below = { ...one, path: one.path.subarray(slash + 1) };
    const name = slash === -1 ? path : path.slice(0, slash + 1);
    const known = names.get(name);
    names.set(name, slash === -1 ? one : [...(Array.isArray(known) ? known : []), below]);
  }
  const bodies = [...names]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, what]) => {
      const id = Array.isArray(what)
        ? referenceGitTree(what, format)
        : createHash(format).update(`blob ${what.content.length}\0`).update(what.content).digest();
      const mode = Array.isArray(what) ? "40000" : what.mode;
      return Buffer.concat([Buffer.from(`${mode} ${name.replace(/\/$/u, "")}\0`, "latin1"), id]);
    });
  const body = Buffer.concat(bodies);
  return createHash(format).update(`tree ${body.length}\0`).update(body).digest();
}

const MIXED = [
  leaf("a-b", "100644", "x"),
  leaf("a.l", "120000", "a/d"),
  leaf("a/b/c", "100644", "y"),
  leaf("a/d", "100755", "z"),
  leaf("a0", "100644", "w"),
];

/** More than fits into what lines and trees are gathered in. */
const MANY = Array.from({ length: 800 }, (_, index) =>
  leaf(`3/${index % 100 === 0 ? "a/" : ""}${String(index).padStart(100, "n")}`, "100755", `${index}`),
);
const LONG = "n".repeat(70_000);

const TREES: [string, Leaf[]][] = [
  ["nothing", []],
  ["one empty file", [leaf("a")]],
  ["a link alone", [leaf("a", "120000", "b")]],
  ["files, a program and a link", MIXED],
  ["names beyond ASCII", ["\u{1f600}", "\uff5e", "\ue000", "\u00e9/\u00e9", "e"].map((path) => leaf(path))],
  ["many files", MANY],
  ["a long name first", [leaf(LONG), leaf("o")]],
  ["a long name last", [leaf("a"), leaf(LONG)]],
  ["many files around a long name", [...MANY, leaf(`4/${LONG}`), leaf("5/a")]],
  ["many links", MANY.map(({ path }) => leaf(path, "120000", "a"))],
  [
    "folders left and entered at once",
    ["a/b/c/d", "a/bb/c", "b/b/c/d", "b/b/d/d", "c"].map((path) => leaf(path)),
  ],
];

describe.each(TREES)("%s", (_, leaves) => {
  test("has the tree hash and the dirHash of their definitions", () => {
    const items = itemsOf(leaves);
    expect(workingTreeHash(items)).toEqual({ value: referenceTreeHash(leaves), reason: null } as never);
    expect(dirHash(items)).toEqual({ value: referenceDirHash(leaves), reason: null } as never);
  });

  test("has the tree that git would make of it", () => {
    for (const format of ["sha1", "sha256"] as const) {
      const items = itemsOf(leaves, format);
      const wanted = referenceGitTree(leaves, format).toString("hex");
      expect(gitTree(items, format)).toBe(wanted);
      const listed = items.map((item, index) => ({
        path: item.path,
        mode: modeOf(item),
        id: blobOf(leaves.toSorted(byPath)[index]?.content ?? Buffer.alloc(0), format),
      }));
      expect(gitTreeOf(listed, format)).toBe(wanted);
    }
  });

  test("has the same hash from lines that are written out already", () => {
    const items = itemsOf(leaves);
    expect(workingTreeHash(items, items.map(treeLine))).toEqual(workingTreeHash(items));
  });
});

// What git write-tree says.
test.each<[ObjectFormat, string]>([
  ["sha1", "1eb67b3efe9429cd33092bf00c252e92d634abee"],
  ["sha256", "9bbb0f3e5982a6ab3a440c8bfd5df45c3c58912fe444c9ce22c377888df40449"],
])("git knows the mixed tree by the same id in %s", (format, id) => {
  expect(gitTree(itemsOf(MIXED, format), format)).toBe(id);
});

// printf 'a\0100644\0<sha256 of nothing>' | sha256sum
test("the tree hash of one empty file is the known one", () => {
  const known = "fb60ac21f5afd8a26d4f6b883ec5f0bd4ab8167527320ced1ab07ef8c29a9a3e";
  expect<string | null>(workingTreeHash(itemsOf([leaf("a")])).value).toBe(known);
});

test("the line of an item is its path, mode and digest, with a line feed", () => {
  const lines = itemsOf(MIXED).map((item) => Buffer.from(treeLine(item)).toString());
  expect(lines).toEqual(
    MIXED.map(({ path, mode, content }) => `${path.toString()}\0${mode}\0${sha256Of(content)}\n`),
  );
});

test("a tree that ends wherever its room does is git's", () => {
  const room = 65_536;
  const entry = "100644 n0000".length + 1 + 32;
  const files = Array.from({ length: Math.floor(room / entry) - 2 }, (_, index) =>
    leaf(`n${String(index).padStart(4, "0")}`),
  );
  for (let length = 1; length <= 2 * entry; length++) {
    const leaves = [leaf("m".repeat(length)), ...files, leaf("o0000"), leaf("o0001"), leaf("o0002")];
    expect(gitTree(itemsOf(leaves, "sha256"), "sha256")).toBe(
      referenceGitTree(leaves, "sha256").toString("hex"),
    );
  }
});

describe("a tree without one of the digests", () => {
  const raw = leaf(Buffer.of(0x61, 0xe9));

  test("has a name that is not UTF-8: no tree hash", () => {
    const unnamed = { value: null, reason: "name_not_utf8" } as const;
    for (const leaves of [[raw], [leaf("\u00e9"), raw], [...MANY, raw], [raw, leaf("b")]])
      expect(workingTreeHash(itemsOf(leaves))).toEqual(unnamed);
    expect(dirHash(itemsOf([raw]))).toEqual({ value: referenceDirHash([raw]), reason: null } as never);
  });

  test("has a file with a line feed in its name: no dirHash; a link has no part in it", () => {
    const named = leaf("a\nb");
    expect(dirHash(itemsOf([leaf("a"), named]))).toEqual({ value: null, reason: "name_has_line_feed" });
    const link = leaf("a\nb", "120000", "a");
    expect(dirHash(itemsOf([leaf("a"), link]))).toEqual(dirHash(itemsOf([leaf("a")])));
  });

  test("was not hashed as git blobs: no git tree", () => {
    const [item] = itemsOf([leaf("a")]);
    if (item === undefined) throw new Error("no item");
    expect(() => gitTree([{ ...item, content: { ...item.content, blob: null } }], "sha1")).toThrow(
      RangeError,
    );
  });
});
