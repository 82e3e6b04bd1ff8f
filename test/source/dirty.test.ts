import { expect, test } from "bun:test";
import { chmodSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, git, HAS_GIT, makeRepository } from "./support/repository.ts";

const newFolder = scratchFolders();

async function dirtyOf(root: string): Promise<unknown> {
  const field = (await captureJson(root)).document.fields["source_dirty"];
  return field?.value ?? field?.reason;
}

type Case = { readonly name: string; readonly change: (root: string) => void; readonly dirty: boolean };

// The context of each is `app`.
const CASES: readonly Case[] = [
  { name: "nothing", change: () => {}, dirty: false },
  { name: "a changed file", change: (root) => plantFiles(root, { "app/main.ts": "Main\n" }), dirty: true },
  {
    name: "a staged file",
    change: (root) => void (plantFiles(root, { "app/new": "x" }), git(root, "add", "app")),
    dirty: true,
  },
  { name: "an untracked file", change: (root) => plantFiles(root, { "app/new": "x" }), dirty: true },
  { name: "a removed file", change: (root) => rmSync(join(root, "app/main.ts")), dirty: true },
  {
    name: "an ignored file",
    change: (root) => plantFiles(root, { "app/x.log": "x", ".git/info/exclude": "*.log\n" }),
    dirty: false,
  },
  {
    name: "a change outside the context",
    change: (root) => plantFiles(root, { "docs/readme.md": "x", new: "x" }),
    dirty: false,
  },
  { name: "an executable bit", change: (root) => chmodSync(join(root, "app/main.ts"), 0o755), dirty: true },
  {
    name: "case 39: an untracked file where the repository wants none shown",
    change: (root) => {
      git(root, "config", "status.showUntrackedFiles", "no");
      plantFiles(root, { "app/deep/new": "x" });
    },
    dirty: true,
  },
  {
    name: "case 39: a stash that status is configured to show",
    change: (root) => {
      git(root, "config", "status.showStash", "true");
      plantFiles(root, { "app/main.ts": "Main\n" });
      git(root, "stash", "--quiet");
    },
    dirty: false,
  },
  {
    // Every file that ships is the commit's: only git sees it.
    name: "a repository that holds nothing but itself",
    change: (root) => {
      makeRepository(join(root, "app/inner"), { files: { a: "a\n" } });
      rmSync(join(root, "app/inner/a"));
    },
    dirty: true,
  },
  {
    name: "an untracked file that the build ignores",
    change: (root) => {
      plantFiles(root, { "app/.dockerignore": "new\n" });
      git(root, "add", "app");
      git(root, "commit", "-q", "-m", "second");
      plantFiles(root, { "app/new": "x" });
    },
    dirty: true,
  },
  {
    name: "a file that only the index no longer has",
    change: (root) => void git(root, "rm", "-q", "--cached", "app/main.ts"),
    dirty: true,
  },
  {
    name: "case 39: an untracked cache that has not seen the new file",
    change: (root) => {
      git(root, "update-index", "--force-untracked-cache");
      git(root, "status");
      plantFiles(root, { "app/new": "x" });
    },
    dirty: true,
  },
];

for (const { name, change, dirty } of CASES) {
  test.skipIf(!HAS_GIT)(`${name} makes the context ${dirty ? "dirty" : "no dirtier"}`, async () => {
    const root = makeRepository(newFolder());
    change(root);
    expect(await dirtyOf(join(root, "app"))).toBe(dirty);
  });
}

for (const output of ["--out", "--archive", "--manifest"]) {
  test.skipIf(!HAS_GIT)(
    `what an earlier run wrote with ${output} is untracked, and no part of the context`,
    async () => {
      const root = makeRepository(newFolder());
      const run = async (): Promise<unknown> => {
        const { document } = await captureJson(root, [output, join(root, "app/written.tar")]);
        return [document.matches_commit, document.fields["source_dirty"]?.value];
      };
      expect(await run()).toEqual([true, false]);
      expect(await run()).toEqual([true, true]);
    },
  );
}

test.skipIf(!HAS_GIT)("an archive that is being written is not untracked", async () => {
  const files = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`f${index}`, "x"]));
  const root = makeRepository(newFolder(), { files: { ...files, ".dockerignore": "f1\n" } });
  const name = "[*?] \\ü.tar";
  const { document } = await captureJson(root, ["--archive", join(root, name)]);
  expect(document.fields["source_dirty"]?.value).toBe(false);
  expect(git(root, "status", "--porcelain", "-z")).toBe(`?? ${name}\0`);
});

for (const name of ["app/[id]", ":(top)x", "*", "app/:(glob)**", "-x", "a b\nc"]) {
  test.skipIf(!HAS_GIT)(`case 47: the folder ${JSON.stringify(name)} is a name and no pattern`, async () => {
    const root = makeRepository(newFolder(), {
      files: { [`${name}/a`]: "a\n", "app/i/a": "a\n", other: "x\n" },
    });
    plantFiles(root, { "app/i/a": "changed\n", other: "changed\n" });
    const context = join(root, name);
    const clean = (await captureJson(context)).document;
    // A lone star holds everything only as a pattern.
    expect([clean.source_fields["source_dirty"], clean.matches_commit]).toEqual([false, true]);
    expect(clean.source_fields["source_subpath"]).toBe(name);
    plantFiles(root, { [`${name}/a`]: "changed\n" });
    expect(await dirtyOf(context)).toBe(true);
  });
}

const BROKEN_INDEX: readonly { name: string; content: Buffer }[] = [
  { name: "nonsense", content: Buffer.from("this is no index at all, but long enough to be one") },
  { name: "a cut header", content: Buffer.from("DIRC") },
  { name: "a later version", content: Buffer.from("DIRC\0\0\0\u0063\0\0\0\0aaaaaaaaaaaaaaaaaaaa", "latin1") },
];

for (const { name, content } of BROKEN_INDEX) {
  test.skipIf(!HAS_GIT)(`case 38: an index with ${name} leaves dirty unknown, never false`, async () => {
    const root = makeRepository(newFolder());
    plantFiles(root, { "app/main.ts": "changed\n" });
    writeFileSync(join(root, ".git/index"), content);
    const { exit, document } = await captureJson(root);
    expect(exit).toBe(0);
    expect(document.fields["source_dirty"]).toEqual({
      value: null,
      source: "none",
      reason: "git_index_unreadable",
    });
    expect(document.source_fields["source_dirty"]).toBeUndefined();
    // The content is compared without the index.
    expect([document.matches_commit, document.source_fields["source_ref"]]).toEqual([false, "main"]);
    const required = await captureJson(root, ["--require-clean"]);
    expect([required.exit, required.document.error?.code]).toEqual([7, "requirement_unknown"]);
  });
}

test.skipIf(!HAS_GIT)("an index whose checksum is wrong does not make a changed file clean", async () => {
  const root = makeRepository(newFolder());
  plantFiles(root, { "app/main.ts": "changed\n" });
  const index = readFileSync(join(root, ".git/index"));
  index.writeUInt8(index.readUInt8(index.length - 1) ^ 0xff, index.length - 1);
  writeFileSync(join(root, ".git/index"), index);
  expect(await dirtyOf(root)).not.toBe(false);
});

type SubmoduleCase = {
  readonly name: string;
  readonly change: (outer: string, sub: string) => void;
  readonly dirty: boolean;
};

const SUBMODULES: readonly SubmoduleCase[] = [
  { name: "a clean submodule", change: () => {}, dirty: false },
  {
    name: "a changed file in a submodule",
    change: (_outer, sub) => plantFiles(sub, { "lib/a": "A\n" }),
    dirty: true,
  },
  {
    name: "an untracked file in a submodule",
    change: (_outer, sub) => plantFiles(sub, { new: "x" }),
    dirty: true,
  },
  {
    name: "another commit in a submodule",
    change: (_outer, sub) => git(sub, "commit", "-q", "--allow-empty", "-m", "more"),
    dirty: true,
  },
  {
    name: "case 39: a changed submodule that the configuration ignores",
    change: (outer, sub) => {
      git(outer, "config", "submodule.vendor/inner.ignore", "all");
      git(outer, "config", "diff.ignoreSubmodules", "all");
      plantFiles(sub, { "lib/a": "A\n" });
    },
    dirty: true,
  },
  {
    name: "a submodule that is not checked out",
    change: (outer) => git(outer, "submodule", "--quiet", "deinit", "--force", "vendor/inner"),
    dirty: false,
  },
];

for (const { name, change, dirty } of SUBMODULES) {
  test.skipIf(!HAS_GIT)(`${name} makes the context ${dirty ? "dirty" : "no dirtier"}`, async () => {
    const base = newFolder();
    const inner = makeRepository(join(base, "inner"), { files: { "lib/a": "a\n" } });
    const outer = makeRepository(join(base, "outer"));
    const sub = addSubmodule(outer, inner, "vendor/inner");
    change(outer, sub);
    expect(await dirtyOf(outer)).toBe(dirty);
    expect(await dirtyOf(join(outer, "vendor"))).toBe(dirty);
    expect(await dirtyOf(join(outer, "app"))).toBe(false);
  });
}

test.skipIf(!HAS_GIT)("a changed file in a submodule of a submodule makes the context dirty", async () => {
  const base = newFolder();
  const innermost = makeRepository(join(base, "innermost"), { files: { deep: "deep\n" } });
  const inner = makeRepository(join(base, "inner"), { files: { "lib/a": "a\n" } });
  addSubmodule(inner, innermost, "deep");
  const outer = makeRepository(join(base, "outer"));
  addSubmodule(outer, inner, "vendor");
  git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive");
  expect(await dirtyOf(outer)).toBe(false);
  plantFiles(outer, { "vendor/deep/deep": "changed\n" });
  expect(await dirtyOf(outer)).toBe(true);
});

test.skipIf(!HAS_GIT)("a submodule whose index is broken leaves dirty unknown", async () => {
  const base = newFolder();
  const inner = makeRepository(join(base, "inner"), { files: { "lib/a": "a\n" } });
  const outer = makeRepository(join(base, "outer"));
  const sub = addSubmodule(outer, inner, "vendor");
  writeFileSync(
    git(sub, "rev-parse", "--path-format=absolute", "--git-path", "index"),
    "no index, but long enough to be read as one",
  );
  expect(await dirtyOf(outer)).toBe("git_index_unreadable");
});

test.skipIf(!HAS_GIT)("case 40: touched files are clean, and the index is not written for it", async () => {
  const root = makeRepository(newFolder());
  const index = join(root, ".git/index");
  utimesSync(join(root, "app/main.ts"), 1_000_000_000, 1_000_000_000);
  const [before, bytes] = [statSync(index), readFileSync(index)];
  expect(await dirtyOf(root)).toBe(false);
  const after = statSync(index);
  expect([after.mtimeMs, after.ctimeMs, after.ino]).toEqual([before.mtimeMs, before.ctimeMs, before.ino]);
  expect(readFileSync(index).equals(bytes)).toBe(true);
});

test.skipIf(!HAS_GIT)("--require-clean is exit 5 when dirty and 0 when clean", async () => {
  const root = makeRepository(newFolder());
  expect((await captureJson(root, ["--require-clean"])).exit).toBe(0);
  plantFiles(root, { new: "x" });
  const { exit, document } = await captureJson(root, ["--require-clean"]);
  expect([exit, document.ok, document.error?.code]).toEqual([5, false, "requirement_not_met"]);
  // The capture itself stands.
  expect(document.source_fields["source_dirty"]).toBe(true);
  const outside = await captureJson(plantFiles(newFolder(), { a: "a" }), ["--require-clean"]);
  expect([outside.exit, outside.document.error?.code]).toEqual([7, "requirement_unknown"]);
});
