import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { plantTree, snapshot, type Planted } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson, warningCodes } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, listMembers, READERS, succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

const NOT_UTF8: readonly { name: string; path: Buffer }[] = [
  { name: "a byte that begins nothing", path: bytes("a\u00ffb") },
  { name: "a cut sequence", path: bytes("cut\u00e2\u0082") },
  { name: "an overlong slash", path: bytes("\u00c0\u00af") },
  { name: "a surrogate", path: bytes("\u00ed\u00a0\u0080") },
  { name: "more than a header holds", path: bytes("\u00ff".repeat(120)) },
];

for (const { name, path } of NOT_UTF8) {
  test.skipIf(!HAS_PYTHON)(
    `case 56: a name that is not UTF-8 (${name}) has no hash, and is exact everywhere else`,
    async () => {
      const base = newFolder();
      const root = join(base, "context");
      plantTree(root, [
        { path, text: "odd" },
        { path: "plain", text: "x" },
        { path: bytes("link\u00fe"), target: path },
      ]);
      mkdirSync(Buffer.concat([Buffer.from(`${root}/`), bytes("folder\u00fd")]));
      succeed(["git", "init", "-q", base]);
      succeed(["git", "-C", base, "add", "context"]);
      const tree = succeed(["git", "-C", base, "write-tree", "--prefix=context/"]).toString().trim();
      const archive = join(base, "context.tar");
      const { exit, document } = await captureJson(root, ["--archive", archive]);
      expect(exit).toBe(0);
      expect(document.fields["working_tree_hash"]).toEqual({
        value: null,
        source: "none",
        reason: "name_not_utf8",
      });
      expect(warningCodes(document)).toContain("name_not_utf8");
      expect(document.digests["git_tree"]).toBe(tree);
      const members = listMembers(archive).map(({ type, name, target }) => `${type} ${name} ${target}`);
      const own = path.toString("latin1");
      expect(members.sort()).toEqual(
        [`file ${own} `, "dir folder\u00fd ", `link link\u00fe ${own}`, "file plain "].sort(),
      );
      for (const reader of READERS.filter((reader) => reader.present)) {
        const into = join(base, reader.name.replace(" ", "-"));
        mkdirSync(into);
        reader.extract(archive, into);
        expect([reader.name, snapshot(into)]).toEqual([reader.name, snapshot(root)]);
      }
    },
  );
}

test("a name that is not UTF-8 and ignored does not matter", async () => {
  const root = plantTree(newFolder(), [
    { path: bytes("a\u00ff"), text: "x" },
    { path: bytes("b\u00ff"), text: "x" },
    { path: "kept", text: "x" },
    { path: ".dockerignore", text: Buffer.concat([bytes("a\u00ff\n"), Buffer.from("b?\n")]) },
  ]);
  const { document } = await captureJson(root, ["--strict"]);
  expect(document.context.files).toBe(2);
  expect(document.digests["working_tree_hash"]).toMatch(/^[0-9a-f]{64}$/u);
});

const NAMES: readonly { name: string; tree: readonly Planted[]; except?: string }[] = [
  {
    name: "line feeds, backslashes, spaces, quotes",
    tree: odd(["a\nb", "c\\d", " e", "f ", "g'", 'h"', "i\tj", "k\r"]),
  },
  {
    name: "emoji and letters of many kinds",
    tree: odd(["\u{1f469}\u200d\u{1f52c}", "\u00e9", "\ufeffbom", "\u202eabc"]),
  },
  // libarchive composes names on Linux and so makes one file of these two.
  { name: "one letter, composed and not", tree: odd(["e\u0301", "\u00e9"]), except: "bsdtar" },
  {
    name: "what shells and tar take for something else",
    tree: odd(["-rf", "--help", "*", "~", "ab:c", "#", "@x", "..."]),
  },
  { name: "255 bytes", tree: odd(["n".repeat(255), "\u00e9".repeat(127)]) },
  { name: "100 bytes and around", tree: odd([99, 100, 101, 155, 156].map((length) => "l".repeat(length))) },
  {
    name: "long paths",
    tree: [99, 100, 101, 155, 256, 257, 300].flatMap((length) => {
      const path = `p${length}/${"q".repeat(50)}/`
        .padEnd(length, "r")
        .replace(/r{200,}$/u, (tail) => `${tail.slice(101)}/${"r".repeat(100)}`);
      return [{ path, text: path }];
    }),
  },
  {
    name: "a folder whose name with its slash has 101 bytes",
    tree: odd([`${"d".repeat(100)}/x`, `${"e".repeat(99)}/x`]),
  },
];

function odd(paths: readonly string[]): Planted[] {
  return paths.map((path) => ({ path, text: path }));
}

for (const { name, tree, except } of NAMES) {
  test.skipIf(!HAS_PYTHON)(
    `case 55: names with ${name} are the same for us, git and every reader of the archive`,
    async () => {
      const base = newFolder();
      const root = plantTree(join(base, "context"), tree);
      succeed(["git", "init", "-q", base]);
      succeed(["git", "-C", base, "add", "context"]);
      const gitTree = succeed(["git", "-C", base, "write-tree", "--prefix=context/"]).toString().trim();
      const archive = join(base, "context.tar");
      const { exit, document } = await captureJson(root, ["--archive", archive]);
      expect(exit).toBe(0);
      expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leavesOf(root)));
      expect(document.digests["git_tree"]).toBe(gitTree);
      const files = listMembers(archive).filter((member) => member.type === "file");
      const sorted = leavesOf(root)
        .map((leaf) => leaf.path.toString("latin1"))
        .sort();
      expect(files.map((member) => member.name)).toEqual(sorted);
      for (const reader of READERS.filter((reader) => reader.present && reader.name !== except)) {
        const into = join(base, reader.name.replace(" ", "-"));
        mkdirSync(into);
        reader.extract(archive, into);
        expect([reader.name, snapshot(into)]).toEqual([reader.name, snapshot(root)]);
      }
    },
  );
}

test.skipIf(!HAS_PYTHON)(
  "a path that the system cannot open any more leaves no hash and no trace",
  async () => {
    const root = newFolder();
    // 30 folders of 200 bytes: beyond the 4096 bytes of one path, made by going down step by step.
    const down =
      "import os\nfor _ in range(30):\n  os.mkdir('d' * 200)\n  os.chdir('d' * 200)\nopen('leaf', 'w')";
    succeed(["python3", "-I", "-c", down], root);
    try {
      const { exit, document } = await captureJson(root);
      expect(exit).toBe(0);
      expect(document.fields["working_tree_hash"]).toMatchObject({ value: null, reason: "unreadable" });
    } finally {
      succeed(["rm", "-rf", root]);
    }
  },
);

test("control characters of a name reach nobody's terminal", async () => {
  const root = plantTree(newFolder(), [{ path: "\u001b[31mred\u0007", text: "x" }]);
  succeed(["mkfifo", join(root, "pipe\u001b[2J\n::error::x")]);
  for (const flags of [[], ["--strict"]]) {
    const { exit, stderr, document } = await captureJson(root, flags);
    expect(exit).toBe(flags.length === 0 ? 0 : 5);
    expect(stderr).toContain("pipe [2J : :error::x");
    // oxlint-disable-next-line no-control-regex
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/u);
    expect(stderr.split("\n").some((line) => line.startsWith("::"))).toBe(false);
    expect(document.context.skipped[0]?.path).toBe("pipe\u001b[2J\n::error::x");
  }
});
