import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { parseJson } from "../../src/base/json.ts";
import { bytePathFromText } from "../../src/context/byte-path.ts";
import { gitTree } from "../../src/context/git-tree.ts";
import { dirHash, workingTreeHash, type TreeItem } from "../../src/context/tree-digests.ts";
import {
  capturedSource,
  compareSource,
  objectFormatOf,
  type CapturedSource,
} from "../../src/context/verify-source.ts";

const SHA1 = "1".repeat(40);
const SHA256 = "2".repeat(64);

/** What the document with these members says. */
function read(members: object): CapturedSource {
  const document = { schema: "waybill.capture/v1", digests: {}, ...members };
  return capturedSource(parseJson(JSON.stringify(document), { what: "it", code: "input_invalid" }), "it");
}

const NOTHING: CapturedSource = {
  digests: {},
  counts: { files: null, symlinks: null, bytes: null },
  dockerfile: null,
  ignoreFile: null,
  commit: null,
  subpath: null,
  matchesCommit: false,
  ownOutputs: [],
  displaced: [],
};

describe("what a capture says of its source", () => {
  test.each<[string, object, Partial<CapturedSource>]>([
    ["nothing", {}, {}],
    [
      "digests, those that are null left out, and others",
      { digests: { working_tree_hash: SHA256, git_tree: SHA1, dir_hash: null, other: "x" } },
      { digests: { working_tree_hash: SHA256, git_tree: SHA1 } },
    ],
    [
      "counts",
      { context: { files: 1, symlinks: 0, bytes: 3 } },
      { counts: { files: 1, symlinks: 0, bytes: 3 } },
    ],
    ["counts that are none", { context: { files: "1", symlinks: null, bytes: [] } }, {}],
    ["a context that is none", { context: [], source_fields: "x" }, {}],
    [
      "build files",
      { context: { dockerfile: "a", ignore_file: "b", displaced: ["c", 1, "d"] } },
      { dockerfile: "a", ignoreFile: "b", displaced: ["c", "d"] },
    ],
    ["build files that are none", { context: { dockerfile: 1, ignore_file: {}, displaced: "c" } }, {}],
    [
      "a commit and where in it",
      { source_fields: { source_commit: SHA1, source_subpath: "a" } },
      { commit: SHA1, subpath: "a" },
    ],
    ["a commit of no hexadecimal id", { source_fields: { source_commit: `${SHA1}\n::error::x` } }, {}],
    ["a commit in a list", { source_fields: { source_commit: [SHA1] } }, {}],
    ["a commit that looks like a flag", { source_fields: { source_commit: "--glob=*" } }, {}],
    ["that it was the commit", { matches_commit: true }, { matchesCommit: true }],
    ["that nobody knows", { matches_commit: null }, {}],
    ["a word instead", { matches_commit: "true" }, {}],
    ["outputs of its own", { context: { own_outputs: ["a b", 1] } }, { ownOutputs: ["a b"] }],
  ])("%s", (_, members, wanted) => {
    expect(read(members)).toStrictEqual({ ...NOTHING, ...wanted });
  });

  test.each<[string, object]>([
    ["another schema", { schema: "waybill.capture/v2" }],
    ["digests that are none", { digests: [] }],
    ["a digest in a list", { digests: { git_tree: [SHA1] } }],
    ["a digest that is a number", { digests: { git_tree: 1 } }],
    ["a digest that is too short", { digests: { dir_hash: "1".repeat(39) } }],
    ["one between the two lengths", { digests: { dir_hash: "1".repeat(41) } }],
    ["one that is too long", { digests: { dir_hash: "2".repeat(65) } }],
    ["one in capitals", { digests: { dir_hash: "A".repeat(64) } }],
    ["one behind something", { digests: { git_tree: ` ${SHA1}` } }],
  ])("%s: refused", (_, members) => {
    expect(() => read(members)).toThrow(expect.objectContaining({ code: "input_invalid" }));
  });

  test("a list is no document", () => {
    expect(() => capturedSource([], "it")).toThrow(expect.objectContaining({ code: "input_invalid" }));
  });

  test.each<[object, "sha1" | "sha256" | null]>([
    [{ dir_hash: SHA256 }, null],
    [{ git_tree: SHA1 }, "sha1"],
    [{ git_tree: SHA256 }, "sha256"],
  ])("%j: its objects are named in %p", (digests, format) => {
    expect(objectFormatOf(read({ digests }))).toBe(format);
  });
});

const ITEMS: readonly TreeItem[] = [
  {
    path: bytePathFromText("a"),
    kind: "file",
    content: { sha256: sha256Of("xy"), blob: Buffer.alloc(20, 1), size: 2, executable: true },
  },
  {
    path: bytePathFromText("b"),
    kind: "symlink",
    content: { sha256: sha256Of("a"), blob: Buffer.alloc(20, 2), size: 1, executable: false },
  },
];

describe("a source against the capture", () => {
  const tree = workingTreeHash(ITEMS).value ?? "";
  const dir = dirHash(ITEMS).value ?? "";
  const git = gitTree(ITEMS, "sha1");
  const compared = (members: object, tarSha256: string | null = null) =>
    compareSource(read(members), { items: ITEMS, tarSha256 });

  test("every digest that both have is compared, each with its own", () => {
    const digests = { working_tree_hash: tree, git_tree: git, dir_hash: dir, tar_sha256: SHA256 };
    expect(compared({ digests }, SHA256)).toEqual({
      equal: [
        { name: "working_tree_hash", value: tree },
        { name: "git_tree", value: git },
        { name: "dir_hash", value: dir },
        { name: "tar_sha256", value: SHA256 },
      ],
      different: [],
      notCompared: [],
      counts: [],
    });
    expect(compared({ digests })).toMatchObject({ different: [], notCompared: ["tar_sha256"] });
  });

  test("what differs is told with both values", () => {
    const digests = { working_tree_hash: dir, git_tree: SHA1, dir_hash: tree, tar_sha256: SHA256 };
    expect(compared({ digests }, tree)).toEqual({
      equal: [],
      different: [
        { name: "working_tree_hash", wanted: dir, found: tree },
        { name: "git_tree", wanted: SHA1, found: git },
        { name: "dir_hash", wanted: tree, found: dir },
        { name: "tar_sha256", wanted: SHA256, found: tree },
      ],
      notCompared: [],
      counts: [],
    });
  });

  test("a digest that the source cannot have differs, for its reason", () => {
    const [item] = ITEMS;
    if (item === undefined) throw new Error("no item");
    const items = [{ ...item, path: bytePathFromText("a\nb") }];
    const { different } = compareSource(read({ digests: { dir_hash: dir } }), { items, tarSha256: null });
    expect(different).toEqual([{ name: "dir_hash", wanted: dir, found: "none (name_has_line_feed)" }]);
  });

  test.each<[object, string[]]>([
    [{ files: 1, symlinks: 1, bytes: 2 }, []],
    [{}, []],
    [{ files: 0 }, ["files 1, captured 0"]],
    [
      { files: 2, symlinks: 0, bytes: 3 },
      ["files 1, captured 2", "symlinks 1, captured 0", "bytes 2, captured 3"],
    ],
  ])("%j: counts that differ are %j", (context, wanted) => {
    expect(compared({ context }).counts).toEqual(wanted);
  });
});
