import { expect, test } from "bun:test";
import { chmodSync, chownSync, lutimesSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { plantFiles, plantTree, type Planted } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson, type CaptureDocument } from "./support/run-capture.ts";
import { IS_ROOT, scratchFolders } from "./support/scratch.ts";
import { succeed } from "./support/tar-readers.ts";

const newFolder = scratchFolders();

async function hashOf(root: string, surroundings: Parameters<typeof captureJson>[2] = {}): Promise<string> {
  const { document } = await captureJson(root, [], surroundings);
  const hash = document.digests["working_tree_hash"] ?? "";
  expect(hash).toMatch(/^[0-9a-f]{64}$/u);
  return hash;
}

// Known answers, worked out in a shell: printf 'a\0100644\0<sha256 of the content>' | sha256sum, and so on.
const KNOWN: readonly { name: string; tree: readonly Planted[]; hash: string }[] = [
  {
    name: "one empty file",
    tree: [{ path: "a", text: "" }],
    hash: "fb60ac21f5afd8a26d4f6b883ec5f0bd4ab8167527320ced1ab07ef8c29a9a3e",
  },
];

for (const { name, tree, hash } of KNOWN) {
  test(`the hash of ${name} is the known one`, async () => {
    expect(await hashOf(plantTree(newFolder(), tree))).toBe(hash);
  });
}

/** Trees whose hash an independent reading of the definition must give as well. */
const TREES: readonly { name: string; tree: readonly Planted[] }[] = [
  {
    name: "names around the slash",
    tree: ["a-b", "a.b", "a/b", "a0", "a/-", "ab"].map((path) => ({ path, text: path })),
  },
  {
    name: "names beyond the basic plane",
    tree: ["\u{1f600}", "\uff5e", "\ue000", "e\u0301", "\u00e9"].map((path) => ({ path, text: "x" })),
  },
  {
    name: "odd names",
    tree: ["a\nb", "back\\slash", " lead", "trail ", 'quo"te', "'", "*", "%00", "\t", "-rf", "~"].map(
      (path) => ({
        path,
        text: path,
      }),
    ),
  },
  {
    name: "links and a file with the same bytes",
    tree: [
      { path: "file", text: "target" },
      { path: "link", target: "target" },
      { path: "absolute", target: "/etc/passwd" },
      { path: "loop", target: "loop" },
      { path: "folder-link", target: "folder" },
      { path: "folder/inner", text: "x" },
    ],
  },
  {
    name: "all kinds of mode bits",
    tree: [0o600, 0o644, 0o700, 0o744, 0o654, 0o611, 0o777, 0o4755, 0o2644].map((mode) => ({
      path: `mode-${mode.toString(8)}`,
      text: "x",
      mode,
    })),
  },
  { name: "a name of 255 bytes", tree: [{ path: "n".repeat(255), text: "x" }] },
  { name: "a deep tree", tree: [{ path: `${"d/".repeat(200)}leaf`, text: "x" }] },
];

for (const { name, tree } of TREES) {
  test(`the hash of ${name} follows the definition`, async () => {
    const root = plantTree(newFolder(), tree);
    expect(await hashOf(root)).toBe(referenceTreeHash(leavesOf(root)));
  });
}

test("case 62: an empty context has the hash of nothing, with a warning", async () => {
  const root = newFolder();
  mkdirSync(join(root, "only-a-folder"));
  const { exit, document } = await captureJson(root);
  expect(exit).toBe(0);
  const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  expect(document.digests["working_tree_hash"]).toBe(nothing);
  expect(document.warnings.map((warning) => warning.code)).toEqual(["context_empty"]);
  expect(countsOf(document)).toEqual([0, 1, 0, 0]);
});

function countsOf({ context }: CaptureDocument): (number | null)[] {
  return [context.files, context.dirs, context.symlinks, context.bytes];
}

const BASE: readonly Planted[] = [
  { path: "app/main.ts", text: "main" },
  { path: "app/run", text: "#!/bin/sh\n", mode: 0o755 },
  { path: "link", target: "app/main.ts" },
];

const CHANGES: readonly { name: string; change: (root: string) => void }[] = [
  { name: "one byte", change: (root) => plantFiles(root, { "app/main.ts": "Main" }) },
  { name: "an added empty file", change: (root) => plantFiles(root, { "app/zz": "" }) },
  { name: "an executable bit", change: (root) => chmodSync(join(root, "app/main.ts"), 0o755) },
  { name: "a link's target", change: (root) => void succeed(["ln", "-sfn", "app/run", join(root, "link")]) },
  { name: "a name", change: (root) => void succeed(["mv", join(root, "app/run"), join(root, "app/ran")]) },
  {
    name: "a link instead of its file",
    change: (root) =>
      void succeed(["cp", "--remove-destination", join(root, "app/main.ts"), join(root, "link")]),
  },
];

for (const { name, change } of CHANGES) {
  test(`${name} moves the hash`, async () => {
    const [before, after] = [plantTree(newFolder(), BASE), plantTree(newFolder(), BASE)];
    change(after);
    expect(await hashOf(after)).not.toBe(await hashOf(before));
  });
}

const SAME: readonly { name: string; skip?: boolean; make: (root: string) => void }[] = [
  { name: "the order in which files were made", make: (root) => plantTree(root, BASE.toReversed()) },
  {
    name: "the times",
    make: (root) => {
      plantTree(root, BASE);
      for (const path of ["app", "app/main.ts", "app/run"]) utimesSync(join(root, path), 1, 1);
      lutimesSync(join(root, "link"), 1, 1);
    },
  },
  {
    name: "the owners",
    skip: !IS_ROOT,
    make: (root) => {
      plantTree(root, BASE);
      chownSync(join(root, "app/main.ts"), 65_534, 65_534);
    },
  },
  {
    name: "the bits that git does not keep",
    make: (root) => {
      plantTree(root, BASE);
      chmodSync(join(root, "app/main.ts"), 0o600);
      chmodSync(join(root, "app/run"), 0o4711);
      chmodSync(join(root, "app"), 0o700);
    },
  },
  {
    name: "hard links",
    make: (root) => {
      plantTree(root, BASE.slice(1));
      plantFiles(`${root}-beside`, { main: "main" });
      succeed(["ln", `${root}-beside/main`, join(root, "app/main.ts")]);
    },
  },
  {
    name: "case 66: empty folders",
    make: (root) => {
      plantTree(root, BASE);
      mkdirSync(join(root, "empty/deep"), { recursive: true });
    },
  },
];

for (const { name, skip = false, make } of SAME) {
  test.skipIf(skip)(`${name} have no part in the hash`, async () => {
    const [plain, other] = [plantTree(newFolder(), BASE), newFolder()];
    make(other);
    expect(await hashOf(other)).toBe(await hashOf(plain));
  });
}

test("umask, time zone and locale have no part in the hash", async () => {
  const root = plantTree(newFolder(), [...BASE, { path: "\u00e9", text: "x" }]);
  const plain = await hashOf(root);
  expect(await hashOf(root, { umask: "077" })).toBe(plain);
  expect(await hashOf(root, { env: { TZ: "Asia/Kathmandu", LC_ALL: "C" } })).toBe(plain);
  expect(await hashOf(root, { env: { LC_ALL: "C.UTF-8", LANG: "tr_TR.UTF-8" } })).toBe(plain);
});

test("case 54: a context that is named through a link is the folder that the link points to", async () => {
  const root = plantTree(newFolder(), BASE);
  const link = join(newFolder(), "link");
  succeed(["ln", "-s", root, link]);
  expect(await hashOf(link)).toBe(await hashOf(root));
  expect(await hashOf(".", { cwd: link })).toBe(await hashOf(root));
});
