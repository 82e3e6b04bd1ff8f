import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "./support/disk-tree.ts";
import { hasConformance, readConformance } from "./support/conformance.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";
import { HAS_PYTHON, listNames } from "./support/tar-readers.ts";

type WalkCase = {
  readonly id: string;
  readonly name: string;
  readonly files: readonly string[];
  readonly dirs: readonly string[];
  readonly dockerignore: string;
  /** Directories end with a slash. */
  readonly context_entries: readonly string[];
};

const newFolder = scratchFolders();
const present = hasConformance("dockerignore.json");
const cases = (readConformance("dockerignore.json") as { walk: WalkCase[] } | null)?.walk ?? [];

test.skipIf(!present)("the conformance data has walks", () => {
  expect(cases.length).toBeGreaterThan(20);
});

for (const { id, name, files, dirs, dockerignore, context_entries: wanted } of cases) {
  test.skipIf(!HAS_PYTHON)(`${id} (${name}): the archive and the hash hold what Docker sends`, async () => {
    const root = newFolder();
    plantFiles(root, Object.fromEntries(files.map((file) => [file, file])));
    for (const folder of dirs) mkdirSync(join(root, folder), { recursive: true });
    plantFiles(root, { ".dockerignore": dockerignore });
    const archive = `${root}.tar`;
    const { exit, document } = await captureJson(root, ["--archive", archive]);
    expect(exit).toBe(0);
    const entries = listNames(archive);
    // The Dockerfile and the ignore file reach the builder even when they are ignored.
    const all = new Set([
      ...wanted,
      ".dockerignore",
      ...(files.includes("Dockerfile") ? ["Dockerfile"] : []),
    ]);
    // Docker puts .git in unless it is ignored; here --include-vcs does.
    expect(entries.toSorted()).toEqual(
      [...all].filter((entry) => !/(?:^|\/)\.git(?:\/|$)/u.test(entry)).toSorted(),
    );
    expect(new Set(entries).size).toBe(entries.length);
    const kept = new Set(entries);
    const leaves = leavesOf(root).filter((leaf) => kept.has(leaf.path.toString("latin1")));
    expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leaves));
  });
}

const TREE = {
  Dockerfile: "FROM scratch",
  "app/main.ts": "main",
  "app/secret.env": "x",
  "app/keep/deep/a": "a",
  "docs/readme.md": "readme",
};

const OWN: readonly { name: string; ignore: string; entries: readonly string[] }[] = [
  {
    name: "everything but one folder",
    ignore: "*\n!app\n",
    entries: [
      ".dockerignore",
      "Dockerfile",
      "app/",
      "app/keep/",
      "app/keep/deep/",
      "app/keep/deep/a",
      "app/main.ts",
      "app/secret.env",
    ],
  },
  {
    name: "everything, so that only the build files travel",
    ignore: "*\n",
    entries: [".dockerignore", "Dockerfile"],
  },
  {
    name: "all but something deep, whose parents come along",
    ignore: "**\n!app/keep/deep/a\n",
    entries: [".dockerignore", "Dockerfile", "app/", "app/keep/", "app/keep/deep/", "app/keep/deep/a"],
  },
  {
    name: "the build files themselves",
    ignore: "Dockerfile\n.dockerignore\napp\n",
    entries: [".dockerignore", "Dockerfile", "docs/", "docs/readme.md"],
  },
  {
    name: "a pattern at any depth",
    ignore: "**/*.env\n# a comment\ndocs/\n",
    entries: [
      ".dockerignore",
      "Dockerfile",
      "app/",
      "app/keep/",
      "app/keep/deep/",
      "app/keep/deep/a",
      "app/main.ts",
    ],
  },
  {
    name: "what lines between a byte-order mark, CR LF and white space of Unicode say",
    ignore: "\ufeff#app\r\n #docs\r\n\u00a0app\u00a0\r\n\r\n",
    entries: [".dockerignore", "Dockerfile", "docs/", "docs/readme.md"],
  },
  {
    name: "a folder in spite of an exception for the one above, which came too late",
    ignore: "app/keep/deep\n!app/keep\ndocs\n",
    entries: [".dockerignore", "Dockerfile", "app/", "app/keep/", "app/main.ts", "app/secret.env"],
  },
  {
    name: "nothing by braces and bars, which are characters like others",
    ignore: "{app,docs}\napp|docs\n*.{env}\n",
    entries: [
      ".dockerignore",
      "Dockerfile",
      "app/",
      "app/keep/",
      "app/keep/deep/",
      "app/keep/deep/a",
      "app/main.ts",
      "app/secret.env",
      "docs/",
      "docs/readme.md",
    ],
  },
];

for (const { name, ignore, entries } of OWN) {
  test.skipIf(!HAS_PYTHON)(`case 52: an ignore file leaves out ${name}`, async () => {
    const root = plantFiles(newFolder(), { ...TREE, ".dockerignore": ignore });
    const archive = `${root}.tar`;
    const { document } = await captureJson(root, ["--archive", archive]);
    expect(listNames(archive)).toEqual([...entries]);
    const leaves = leavesOf(root).filter((leaf) => entries.includes(leaf.path.toString()));
    expect(document.digests["working_tree_hash"]).toBe(referenceTreeHash(leaves));
    expect([document.context.dockerfile, document.context.ignore_file]).toEqual([
      "Dockerfile",
      ".dockerignore",
    ]);
  });
}

const INVALID: readonly { name: string; ignore: string }[] = [
  { name: "a lone exclamation mark", ignore: "*.md\n!\n" },
  { name: "an open bracket", ignore: "[a\n" },
  { name: "a range that runs backwards", ignore: "[z-a]\n" },
  { name: "a name in brackets", ignore: "[Local-Only]\n" },
];

for (const { name, ignore } of INVALID) {
  test(`case 51: an ignore file with ${name} is no ignore file for Docker, and there is no hash`, async () => {
    const root = plantFiles(newFolder(), { ...TREE, ".dockerignore": ignore });
    const lenient = await captureJson(root);
    expect(lenient.exit).toBe(0);
    expect(lenient.document.fields["working_tree_hash"]).toEqual({
      value: null,
      source: "none",
      reason: "ignore_file_invalid",
    });
    expect(lenient.document.source_fields["working_tree_hash"]).toBeUndefined();
    const strict = await captureJson(root, ["--strict"]);
    expect(strict.exit).toBe(5);
    expect(strict.document.error?.code).toBe("ignore_file_invalid");
    const archive = `${root}.tar`;
    const archived = await captureJson(root, ["--archive", archive]);
    expect(archived.exit).toBe(1);
    expect(await Bun.file(archive).exists()).toBe(false);
  });
}

test("case 53: --no-ignore leaves nothing out, and git's folder only comes along when it is asked for", async () => {
  const root = plantFiles(newFolder(), {
    ...TREE,
    ".dockerignore": "*\n",
    ".git/HEAD": "ref: refs/heads/main\n",
    "vendored/.git": "gitdir: ../elsewhere\n",
    "vendored/code": "x",
  });
  const all = referenceTreeHash(leavesOf(root));
  const withoutGit = referenceTreeHash(
    leavesOf(root).filter((leaf) => !leaf.path.toString().split("/").includes(".git")),
  );
  expect((await captureJson(root, ["--no-ignore"])).document.digests["working_tree_hash"]).toBe(withoutGit);
  const { document } = await captureJson(root, ["--no-ignore", "--include-vcs"]);
  expect(document.digests["working_tree_hash"]).toBe(all);
});
