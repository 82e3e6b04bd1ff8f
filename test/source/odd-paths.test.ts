import { describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { committedEntry } from "../../src/source/committed-entry.ts";
import { Git } from "../../src/source/git.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson, environment, waybill } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, commitAll, git, HAS_GIT, makeRepository } from "./support/repository.ts";

const newFolder = scratchFolders();

/** A name that git takes for what its `describe` prints, and so for the repository's first commit. */
function describedName(root: string): string {
  return `x-g${git(root, "rev-parse", "--short=7", "HEAD")}`;
}

describe.skipIf(!HAS_GIT)("what HEAD has under a path", () => {
  test("is found by its name, however much git reads into it", async () => {
    const root = makeRepository(newFolder(), { files: { first: "first\n" } });
    git(root, "branch", "b");
    const names = [
      ...["a", "a..b", "a..HEAD:a", "x^!", "x^-1", "x^{tree}", "x~1", "x@{0}", "@{u}", "@", "HEAD"],
      ...[":(top)x", ":/a", "a:b", "-x", "--", "*", "[a]", "a/deep", "new\nline", describedName(root)],
    ];
    for (const name of names) plantFiles(root, { [`${name}/own`]: `${name}\n` });
    commitAll(root, "names");
    const real = new Git(Bun.which("git") ?? "git", root, environment(), 60_000, AbortSignal.any([]));
    for (const name of names) {
      const id = git(root, "write-tree", `--prefix=${name}/`);
      expect(await committedEntry(real, name)).toMatchObject({ type: "tree", id });
    }
    expect(await committedEntry(real, "first")).toMatchObject({ type: "blob" });
    expect(await committedEntry(real, "first/none")).toBeNull();
  });

  test("is the commit that the outer repository wants of a submodule", async () => {
    const inner = makeRepository(newFolder(), { files: { inner: "inner\n" } });
    const root = makeRepository(newFolder());
    const sub = addSubmodule(root, inner, describedName(root));
    const { document } = await captureJson(sub);
    expect(document.git?.["superproject"]).toMatchObject({ wanted: git(inner, "rev-parse", "HEAD") });
  });

  test("is what a capture was, whatever else could have the folder's name", async () => {
    // What is left out makes a tree that is in no repository: the capture's files are known by its commit alone.
    const files = { "a/one": "1\n", "a..b/one": "1\n", "a..b/out": "1\n", "a..b/.dockerignore": "out\n" };
    const root = makeRepository(newFolder(), { files });
    git(root, "branch", "b");
    const { stdout } = await captureJson(join(root, "a..b"));
    const capture = join(newFolder(), "capture.json");
    writeFileSync(capture, stdout);
    plantFiles(root, { "a..b/two": "2\n" });
    const ran = await waybill(["diff", capture, join(root, "a..b"), "--repo", root, "--json"]);
    const { differences } = JSON.parse(ran.stdout) as { differences: unknown };
    expect(differences).toMatchObject([{ path: "two", how: "added" }]);
  });
});

test.skipIf(!HAS_GIT)(
  "case 47: a folder that is named like another commit is compared with what the commit has there",
  async () => {
    const root = makeRepository(newFolder(), { files: { own: "other\n" } });
    const name = describedName(root);
    rmSync(join(root, "own"));
    plantFiles(root, { [`${name}/own`]: "own\n" });
    commitAll(root, "second");
    expect((await captureJson(join(root, name))).document.matches_commit).toBe(true);
    // What the commit has that the name could mean.
    plantFiles(root, { [`${name}/own`]: "other\n" });
    const { exit, document } = await captureJson(join(root, name), ["--require-matches-commit"]);
    expect([exit, document.matches_commit_detail.counts]).toEqual([5, { modified: 1 }]);
  },
);

test.skipIf(!HAS_GIT)("case 10: below a folder with a colon a submodule is one like any other", async () => {
  const inner = makeRepository(newFolder());
  const root = makeRepository(join(newFolder(), "with:colon"));
  const sub = addSubmodule(root, inner, "a:b");
  const commit = git(inner, "rev-parse", "HEAD");
  const clean = (await captureJson(root)).document;
  expect(clean.git?.["submodules"]).toMatchObject([{ path: "a:b", commit, head: commit }]);
  expect([clean.source_fields["source_dirty"], clean.matches_commit]).toEqual([false, true]);
  plantFiles(sub, { new: "new\n" });
  const dirty = (await captureJson(root)).document;
  expect([dirty.source_fields["source_dirty"], dirty.matches_commit]).toEqual([true, false]);
});
