import { describe, expect, test } from "bun:test";
import { sha256Of } from "../../src/base/hashing.ts";
import { bytePathFromText, bytePathOf, type BytePath } from "../../src/context/byte-path.ts";
import {
  departuresFrom,
  inOtherForm,
  matchOf,
  unknownMatch,
  type CommittedEntry,
  type CommittedSubmodule,
  type Departure,
} from "../../src/context/matches-commit.ts";
import type { TreeItem } from "../../src/context/tree-digests.ts";

function committed(path: string, content = "x", mode = "100644"): CommittedEntry {
  return { path: Buffer.from(path), mode, id: idOf(content).toString("hex") };
}

function idOf(content: string): Buffer {
  return Buffer.from(new Bun.CryptoHasher("sha1").update(content).digest());
}

function item(path: string, content = "x", mode = "100644"): TreeItem {
  return {
    path: bytePathFromText(path),
    kind: mode === "120000" ? "symlink" : "file",
    content: {
      sha256: sha256Of(content),
      blob: idOf(content),
      size: content.length,
      executable: mode === "100755",
    },
  };
}

const SUB: CommittedEntry = { path: Buffer.from("s"), mode: "160000", id: "0".repeat(40) };
const sub = (path: string, entries: CommittedSubmodule["entries"]): CommittedSubmodule => ({
  path: Buffer.from(path),
  entries,
});

type Case = {
  readonly name: string;
  readonly commit: readonly CommittedEntry[];
  readonly submodules?: readonly CommittedSubmodule[];
  readonly items: readonly TreeItem[];
  readonly ignored?: readonly string[];
  /** As `kind path`. */
  readonly found: readonly string[];
};

const CASES: readonly Case[] = [
  { name: "nothing in nothing", commit: [], items: [], found: [] },
  {
    name: "the commit itself",
    commit: [committed("a"), committed("b", "y", "100755"), committed("c", "a", "120000")],
    items: [item("a"), item("b", "y", "100755"), item("c", "a", "120000")],
    found: [],
  },
  { name: "other content", commit: [committed("a")], items: [item("a", "y")], found: ["modified a"] },
  {
    name: "an executable bit, either way",
    commit: [committed("a"), committed("b", "x", "100755")],
    items: [item("a", "x", "100755"), item("b")],
    found: ["mode_only a", "mode_only b"],
  },
  {
    name: "a link and a file with the same bytes, either way",
    commit: [committed("a"), committed("b", "x", "120000")],
    items: [item("a", "x", "120000"), item("b")],
    found: ["modified a", "modified b"],
  },
  {
    name: "a file on one side",
    commit: [committed("a"), committed("b")],
    items: [item("b"), item("c")],
    found: ["untracked c", "missing a"],
  },
  {
    name: "a listing in no order, which is still compared by name",
    commit: [committed("c"), committed("a"), committed("b"), committed("e", "y")],
    items: [item("e"), item("b"), item("d"), item("a")],
    found: ["modified e", "untracked d", "missing c"],
  },
  {
    name: "a commit that holds a name twice, which no context can",
    commit: [committed("a"), committed("a", "y")],
    items: [item("a")],
    found: ["missing a"],
  },
  {
    name: "an absence that the ignore rules explain",
    commit: [committed("a"), committed("b")],
    items: [],
    ignored: ["a"],
    found: ["missing b"],
  },
  {
    name: "a submodule that is what its commit holds",
    commit: [SUB],
    submodules: [sub("s", [committed("a")])],
    items: [item("s/a")],
    found: [],
  },
  {
    name: "a submodule that nobody here knows",
    commit: [SUB],
    submodules: [sub("s", null)],
    items: [],
    found: ["submodule s"],
  },
  {
    name: "one that nobody knows and the ignore rules leave out",
    commit: [SUB],
    submodules: [sub("s", null)],
    items: [],
    ignored: ["s"],
    found: [],
  },
  {
    name: "whatever differs in a submodule, told once, and what lies beside it",
    commit: [SUB, committed("sa")],
    submodules: [sub("s", [committed("a"), committed("b"), committed("d/e/f")])],
    items: [item("s/a", "y"), item("s/c"), item("sa", "y"), item("sb/x"), item("t/s/x")],
    found: ["modified sa", "untracked sb/x", "untracked t/s/x", "submodule s"],
  },
  {
    name: "a change in a submodule of a submodule, which is the inner one's",
    commit: [SUB],
    submodules: [
      sub("s", [committed("a"), { ...SUB, path: Buffer.from("d/t") }]),
      sub("s/d/t", [committed("u/b")]),
    ],
    items: [item("s/a"), item("s/d/t/u/b", "y")],
    found: ["submodule s/d/t"],
  },
  {
    name: "a file in a submodule's place",
    commit: [SUB],
    submodules: [sub("s", [])],
    items: [item("s")],
    found: ["untracked s"],
  },
];

describe("against the commit", () => {
  test.each(CASES)("$name", ({ commit, submodules = [], items, ignored = [], found }) => {
    const isIgnored = (path: BytePath): boolean => ignored.includes(path);
    const departures = departuresFrom(commit, submodules, items, isIgnored);
    expect(departures.map(({ kind, path }) => `${kind} ${path}`)).toEqual([...found]);
  });

  test("a departure has its file and the id that the commit has there", () => {
    const [changed, added, unread] = [item("a", "y"), item("b"), item("c")];
    const withoutId = { ...unread, content: { ...unread.content, blob: null } };
    const commit = [committed("a"), committed("c"), committed("d"), SUB];
    const [x] = [idOf("x").toString("hex")];
    expect(
      departuresFrom(commit, [sub("s", null)], [changed, added, withoutId], () => false),
    ).toEqual<unknown>([
      { kind: "modified", path: "a", item: changed, committed: x },
      { kind: "untracked", path: "b", item: added, committed: null },
      { kind: "modified", path: "c", item: withoutId, committed: x },
      { kind: "missing", path: "d", item: null, committed: x },
      { kind: "submodule", path: "s", item: null, committed: null },
    ]);
  });
});

type Kind = Departure["kind"];

describe("names in another form", () => {
  const RAW = Buffer.of(0xe9);
  const OTHER_RAW = Buffer.of(0xea);
  test.each<[string, [Kind, string | Buffer][], string[]]>([
    [
      "composed and decomposed",
      [
        ["missing", "\u00e9"],
        ["untracked", "e\u0301"],
      ],
      ["e\u0301"],
    ],
    [
      "decomposed and composed",
      [
        ["untracked", "\u00e9"],
        ["missing", "e\u0301"],
      ],
      ["\u00e9"],
    ],
    [
      "a sign that is composed to ASCII",
      [
        ["missing", "\u212a"],
        ["untracked", "K"],
      ],
      ["K"],
    ],
    [
      "another name",
      [
        ["missing", "\u00e9"],
        ["untracked", "e"],
      ],
      [],
    ],
    [
      "names of ASCII alone",
      [
        ["missing", "a"],
        ["untracked", "b"],
      ],
      [],
    ],
    [
      "names that are not UTF-8",
      [
        ["missing", RAW],
        ["untracked", OTHER_RAW],
      ],
      [],
    ],
    [
      "those and a pair",
      [
        ["missing", RAW],
        ["untracked", OTHER_RAW],
        ["missing", "\u00e9"],
        ["untracked", "e\u0301"],
      ],
      ["e\u0301"],
    ],
    [
      "neither of them missing",
      [
        ["modified", "\u00e9"],
        ["untracked", "e\u0301"],
      ],
      [],
    ],
    [
      "neither of them untracked",
      [
        ["missing", "\u00e9"],
        ["modified", "e\u0301"],
      ],
      [],
    ],
  ])("%s", (_, found, wanted) => {
    const departures = found.map(([kind, path]): Departure => ({
      kind,
      path: typeof path === "string" ? bytePathFromText(path) : bytePathOf(path),
      item: null,
      committed: null,
    }));
    expect(inOtherForm(departures)).toEqual(wanted.map(bytePathFromText));
  });
});

describe("the verdict", () => {
  test("is yes when nothing was found", () => {
    expect(matchOf([], [])).toEqual({ value: true, reason: null, counts: {}, samples: {}, otherForm: [] });
  });

  test("counts every path by its kind and shows five of each", () => {
    const six = Array.from({ length: 6 }, (_, index) => bytePathFromText(`\u00e9${index}`));
    const found = [
      { kind: "mode_only", path: bytePathFromText("a") } as const,
      ...six.map((path) => ({ kind: "modified", path }) as const),
    ];
    expect(matchOf(found, six.slice(1, 2))).toEqual({
      value: false,
      reason: null,
      counts: { mode_only: 1, modified: 6 },
      samples: { mode_only: ["a"], modified: ["\u00e90", "\u00e91", "\u00e92", "\u00e93", "\u00e94"] },
      otherForm: six.slice(1, 2),
    });
  });

  test("is unknown for a reason", () => {
    expect(unknownMatch("r")).toEqual({ value: null, reason: "r", counts: {}, samples: {}, otherForm: [] });
  });
});
