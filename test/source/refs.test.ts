import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { captureJson, warningCodes, waybill } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { git, HAS_GIT, makeRepository } from "./support/repository.ts";

const newFolder = scratchFolders();

async function refOf(root: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const { document } = await captureJson(root, [], { env });
  return document.fields["source_ref"];
}

const fromGit = (value: string): unknown => ({ value, source: "git", reason: null });

test.skipIf(!HAS_GIT)(
  "case 24: a branch and a tag of the same name: the branch is `main`, never `heads/main`",
  async () => {
    const root = makeRepository(newFolder());
    git(root, "tag", "main");
    const { document } = await captureJson(root);
    expect([document.fields["source_ref"] as unknown, document.ref_full, document.ref_kind]).toEqual([
      fromGit("main"),
      "refs/heads/main",
      "branch",
    ]);
    git(root, "checkout", "-q", "refs/tags/main");
    const { document: tagged } = await captureJson(root);
    expect([tagged.source_fields["source_ref"], tagged.ref_full]).toEqual(["main", "refs/tags/main"]);
  },
);

test.skipIf(!HAS_GIT)("case 23: a detached HEAD has no ref, with the reason", async () => {
  const root = makeRepository(newFolder());
  git(root, "checkout", "-q", "--detach");
  expect(await refOf(root)).toEqual({ value: null, source: "none", reason: "detached_head" });
  const { document } = await captureJson(root, ["--strict"]);
  expect([document.exit_code, document.matches_commit]).toEqual([0, true]);
});

test.skipIf(!HAS_GIT)("case 23: a detached HEAD at a tag is that tag", async () => {
  const root = makeRepository(newFolder());
  git(root, "tag", "v1.2.3");
  git(root, "checkout", "-q", "v1.2.3");
  expect(await refOf(root)).toEqual(fromGit("v1.2.3"));
  git(root, "tag", "-a", "-m", "annotated", "v2");
  expect(await refOf(root)).toEqual(fromGit("v2"));
});

test.skipIf(!HAS_GIT)("a tag beside the commit is not the ref of a detached HEAD", async () => {
  const root = makeRepository(newFolder());
  git(root, "tag", "v1");
  plantFiles(root, { more: "x" });
  git(root, "add", "more");
  git(root, "commit", "-q", "-m", "second");
  git(root, "checkout", "-q", "--detach");
  expect(await refOf(root)).toMatchObject({ value: null, reason: "detached_head" });
});

test.skipIf(!HAS_GIT)(
  "case 23: a detached HEAD takes what the CI system claims, marked as a claim; a branch does not",
  async () => {
    const root = makeRepository(newFolder());
    const commit = git(root, "rev-parse", "HEAD");
    const env = { GITHUB_ACTIONS: "true", GITHUB_REF_NAME: "7/merge", GITHUB_SHA: commit };
    expect(await refOf(root, env)).toEqual(fromGit("main"));
    git(root, "checkout", "-q", "--detach");
    expect(await refOf(root, env)).toEqual({ value: "7/merge", source: "ci", reason: null });
    // Observed beats claimed, and what is claimed for another commit says nothing about this one.
    const other = "0".repeat(40);
    const { document } = await captureJson(root, [], { env: { ...env, GITHUB_SHA: other } });
    expect(document.source_fields["source_commit"]).toBe(commit);
    expect(document.source_fields["source_ref"]).toBeUndefined();
    expect(document.ci).toMatchObject({
      system: "github",
      commit: other,
      ref: "7/merge",
      mismatch: ["commit"],
    });
    expect(warningCodes(document)).toEqual(["ci_mismatch"]);
  },
);

const BRANCHES: readonly string[] = [
  "0123456789012345678901234567890123456789",
  "feature/\u{1f680}",
  "@",
  "it's",
  'quo"te',
  "$(touch\u00a0x)",
  "refs/heads/main",
  "heads/main",
  "a;b&c|d`e`",
  "b@c",
  "-".padStart(3, "x"),
  "#1",
  "x".repeat(200),
];

for (const branch of BRANCHES) {
  test.skipIf(!HAS_GIT)(
    `case 26: the branch ${JSON.stringify(branch.slice(0, 50))} comes out as it is`,
    async () => {
      const root = makeRepository(newFolder());
      git(root, "symbolic-ref", "HEAD", `refs/heads/${branch}`);
      git(root, "commit", "-q", "--allow-empty", "-m", "here");
      expect(await refOf(root)).toEqual(fromGit(branch));
    },
  );
}

test.skipIf(!HAS_GIT)("case 37: a branch whose bytes are not UTF-8 breaks nothing", async () => {
  const root = makeRepository(newFolder());
  await Bun.write(`${root}/.git/HEAD`, Buffer.from("ref: refs/heads/a\u00ffb\n", "latin1"));
  const { exit, document } = await captureJson(root);
  expect(exit).toBe(0);
  expect(document.source_fields["source_ref"]).toBe("a\ufffdb");
});

test.skipIf(!HAS_GIT)(
  "case 37: an author and a message whose bytes are not UTF-8 are shown as far as they are text",
  async () => {
    const root = makeRepository(newFolder());
    const object = git(root, "cat-file", "commit", "HEAD").replace("A U Thor", "J\u00fcrgen") + "\u00fc\n";
    const file = join(newFolder(), "commit");
    // No `encoding` among the headers says what these bytes are.
    writeFileSync(file, Buffer.from(object, "latin1"));
    git(root, "reset", "-q", git(root, "hash-object", "-t", "commit", "-w", file));
    expect((await captureJson(root)).document.matches_commit).toBe(true);
    const told = await waybill(["capture", root, "--format", "build-info", "--with-author"]);
    expect([told.exit, told.stdout]).toEqual([0, expect.stringContaining("J\ufffdrgen")]);
  },
);

test.skipIf(!HAS_GIT)(
  "case 37: a folder whose own path is not UTF-8 is told as that, by whatever way it is named",
  async () => {
    const base = Buffer.from(newFolder());
    const odd = Buffer.concat([base, Buffer.from("/a\u00ffb", "latin1")]);
    mkdirSync(odd);
    symlinkSync(odd, `${base}/link`);
    for (const context of [".", `${base}/link`]) {
      // A shell, because no string here can hold that name.
      const script = `cd '${base}'/a*b && exec "$@"`;
      const { exit, document } = await captureJson(context, [], { under: ["sh", "-c", script, "sh"] });
      expect([exit, document.error?.code]).toEqual([7, "path_not_found"]);
      expect(document.error?.hint).toContain("not UTF-8");
    }
  },
);
