import { expect, test } from "bun:test";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { commitAll, git, HAS_GIT, makeRepository, REMOTE, REPO } from "./support/repository.ts";

const newFolder = scratchFolders();

test.skipIf(!HAS_GIT)("case 22: where jj keeps its store beside git, git's facts are the facts", async () => {
  const root = makeRepository(newFolder(), { remote: REMOTE });
  const files = { ".jj/.gitignore": "/*\n", ".jj/repo/store/type": "git", ".dockerignore": ".jj\n" };
  plantFiles(root, files);
  commitAll(root, "ignore");
  // jj leaves HEAD detached at the parent of its working copy.
  git(root, "checkout", "-q", "--detach");
  const { document } = await captureJson(root);
  expect(document.source_fields).toMatchObject({
    source_repo: REPO,
    source_commit: git(root, "rev-parse", "HEAD"),
    source_dirty: false,
  });
  expect(document.fields["source_ref"]?.reason).toBe("detached_head");
  expect(document.matches_commit).toBe(true);
});

for (const store of [".hg/store/data", ".svn/wc.db", ".jj/repo/store/type", "_darcs/format", ".sl/store/x"]) {
  test(`case 22: with nothing but ${store} there is the hash, and no word about a commit`, async () => {
    const root = plantFiles(newFolder(), { a: "a", [store]: "x" });
    const { exit, document } = await captureJson(root, ["--strict"]);
    expect([exit, Object.keys(document.source_fields)]).toEqual([0, ["working_tree_hash"]]);
    expect(document.fields["source_commit"]?.reason).toBe(HAS_GIT ? "not_a_repository" : "git_missing");
    // It is a folder like others for Docker, so it is one here.
    const { document: without } = await captureJson(plantFiles(newFolder(), { a: "a" }));
    expect(document.digests["working_tree_hash"]).not.toBe(without.digests["working_tree_hash"] ?? "");
  });
}

test.skipIf(!HAS_GIT)(
  "case 53: a .git that was asked for is told, and is no clean state to go by",
  async () => {
    const root = makeRepository(newFolder());
    const { exit, document } = await captureJson(root, ["--include-vcs"]);
    expect([exit, document.warnings.map(({ code }) => code)]).toEqual([0, ["vcs_included"]]);
    expect(document.matches_commit).toBe(false);
    const strict = await captureJson(root, ["--include-vcs", "--strict"]);
    expect([strict.exit, strict.document.error?.code]).toEqual([5, "requirement_not_met"]);
  },
);

test.skipIf(!HAS_GIT)(
  "case 62: a context of which all is ignored is no match with its commit, though nothing differs",
  async () => {
    const root = makeRepository(newFolder());
    const outside = plantFiles(newFolder(), { "all.dockerignore": "*\n" });
    const args = ["--ignore-file", join(outside, "all.dockerignore")];
    const { document } = await captureJson(root, args);
    expect([document.matches_commit, document.matches_commit_detail]).toEqual([
      null,
      { reason: "context_empty", counts: {}, samples: {} },
    ]);
    expect(document.warnings.map(({ code }) => code)).toEqual(["context_empty"]);
    const required = await captureJson(root, [...args, "--require-matches-commit"]);
    expect([required.exit, required.document.error?.code]).toEqual([7, "requirement_unknown"]);
  },
);
