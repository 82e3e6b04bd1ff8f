import { expect, test } from "bun:test";
import { chownSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson, warningCodes, type CaptureDocument } from "../context/support/run-capture.ts";
import { IS_ROOT, scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, git, HAS_GIT, makeRepository, REMOTE, REPO } from "./support/repository.ts";

const newFolder = scratchFolders();

/** Every field of git is absent for that one reason, and the hash is there nevertheless. */
function expectNoGit(document: CaptureDocument, reason: string): void {
  for (const name of ["source_repo", "source_commit", "source_ref", "source_subpath", "source_dirty"]) {
    expect([name, document.fields[name]]).toEqual([name, { value: null, source: "none", reason }]);
  }
  expect(document.matches_commit).toBeNull();
  expect(document.matches_commit_detail.reason).toBe(reason);
  expect(document.digests["git_tree"]).toBeNull();
  expect(document.source_fields).toEqual({ working_tree_hash: document.digests["working_tree_hash"] ?? "" });
  expect(document.digests["working_tree_hash"]).toMatch(/^[0-9a-f]{64}$/u);
}

test.skipIf(!HAS_GIT)("a clean clone has every coordinate, and its bytes are the commit's", async () => {
  const root = makeRepository(newFolder(), { remote: REMOTE });
  const { exit, document, stderr } = await captureJson(join(root, "app"), ["--strict"]);
  expect([exit, stderr]).toEqual([0, ""]);
  expect(document.source_fields).toEqual({
    source_repo: REPO,
    source_commit: git(root, "rev-parse", "HEAD"),
    source_ref: "main",
    source_subpath: "app",
    source_dirty: false,
    working_tree_hash: document.digests["working_tree_hash"] ?? "",
  });
  expect(document.matches_commit).toBe(true);
  expect(document.digests["git_tree"]).toBe(git(root, "rev-parse", "HEAD:app"));
  expect(document.fields["source_commit"]?.source).toBe("git");
});

test("case 2: a folder in no repository has a hash and the reason, without a warning", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const { exit, document } = await captureJson(root, ["--strict"]);
  expect(exit).toBe(0);
  expectNoGit(document, HAS_GIT ? "not_a_repository" : "git_missing");
});

test("without git there is a hash, the reason and a remedy", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const { exit, document } = await captureJson(root, [], { env: { PATH: newFolder() } });
  expect(exit).toBe(0);
  expectNoGit(document, "git_missing");
  expect(document.warnings).toEqual([
    {
      code: "git_missing",
      message: "no commit: git is not installed; install it to record what only git knows",
    },
  ]);
  const unset = await captureJson(root, [], { env: { PATH: undefined } });
  expectNoGit(unset.document, "git_missing");
});

test.skipIf(!HAS_GIT)("case 7: a linked worktree has its own branch and commit", async () => {
  const base = newFolder();
  const root = makeRepository(join(base, "main"), { remote: REMOTE });
  const linked = join(base, "linked");
  git(root, "worktree", "add", "-q", "-b", "feature", linked);
  plantFiles(linked, { "app/main.ts": "feature\n" });
  git(linked, "commit", "-q", "-a", "-m", "second");
  const { document } = await captureJson(linked);
  expect(document.source_fields).toMatchObject({
    source_commit: git(linked, "rev-parse", "HEAD"),
    source_ref: "feature",
    source_repo: REPO,
    source_dirty: false,
  });
  expect(document.matches_commit).toBe(true);
  expect(git(root, "rev-parse", "HEAD")).not.toBe(document.source_fields["source_commit"] as string);
});

test.skipIf(!HAS_GIT)("a worktree nested in another repository is its own", async () => {
  const root = makeRepository(newFolder());
  git(root, "worktree", "add", "-q", "--detach", join(root, "trees/one"));
  plantFiles(join(root, "trees/one"), { new: "x" });
  const { document } = await captureJson(join(root, "trees/one"));
  expect(document.source_fields["source_subpath"]).toBeUndefined();
  expect(document.source_fields["source_dirty"]).toBe(true);
});

test.skipIf(!HAS_GIT)("case 8: a .git file that points nowhere is a reason with a remedy", async () => {
  const root = plantFiles(newFolder(), { a: "a", ".git": "gitdir: /nonexistent/worktrees/one\n" });
  const { exit, document } = await captureJson(root);
  expect(exit).toBe(0);
  expectNoGit(document, "git_dir_missing");
  expect(document.warnings[0]?.message).toContain("mount the main repository");
});

test.skipIf(!HAS_GIT)("a .git file that is no such file does not break the capture", async () => {
  const root = plantFiles(newFolder(), { a: "a", ".git": "nonsense" });
  const { exit, document } = await captureJson(root);
  expect(exit).toBe(0);
  expectNoGit(document, "git_failed");
  expect(document.warnings[0]?.message).toContain("invalid gitfile format");
});

test.skipIf(!HAS_GIT)(
  "case 11: a bare repository and a .git folder as context have no work tree",
  async () => {
    const base = newFolder();
    const root = makeRepository(join(base, "work"));
    git(base, "clone", "-q", "--bare", root, join(base, "bare.git"));
    for (const context of [join(base, "bare.git"), join(root, ".git"), join(root, ".git/refs")]) {
      const { exit, document } = await captureJson(context);
      expect(exit).toBe(0);
      expectNoGit(document, "no_work_tree");
    }
  },
);

test.skipIf(!HAS_GIT)(
  "case 15: core.worktree that points elsewhere is refused as an attribution",
  async () => {
    for (const elsewhere of ["/etc", "/nonexistent"]) {
      const root = makeRepository(newFolder());
      git(root, "config", "core.worktree", elsewhere);
      const { exit, document } = await captureJson(root);
      expect(exit).toBe(0);
      expectNoGit(document, "worktree_mismatch");
    }
  },
);

test.skipIf(!HAS_GIT)("case 9: inside a submodule the submodule's repository counts", async () => {
  const base = newFolder();
  const inner = makeRepository(join(base, "inner"), { files: { "lib/a": "a\n" } });
  const outer = makeRepository(join(base, "outer"), { remote: REMOTE });
  const sub = addSubmodule(outer, inner, "vendor/inner");
  git(sub, "config", "remote.origin.url", "git@git.example.com:team/inner.git");
  const { document } = await captureJson(join(sub, "lib"));
  expect(document.source_fields).toMatchObject({
    source_repo: "git.example.com/team/inner",
    source_commit: git(inner, "rev-parse", "HEAD"),
    source_subpath: "lib",
    source_dirty: false,
  });
  expect(document.matches_commit).toBe(true);
});

test.skipIf(!HAS_GIT)(
  "case 10: a submodule that was never checked out is not what the commit holds",
  async () => {
    const base = newFolder();
    const inner = makeRepository(join(base, "inner"), { files: { "lib/a": "a\n" } });
    const outer = makeRepository(join(base, "outer"));
    addSubmodule(outer, inner, "vendor");
    git("/", "clone", "-q", outer, join(base, "clone"));
    const { document } = await captureJson(join(base, "clone/vendor"));
    expect(document.matches_commit).toBeNull();
    expect(document.matches_commit_detail.reason).toBe("submodule_not_initialised");
    const around = await captureJson(join(base, "clone"));
    expect(around.document.matches_commit).toBe(false);
    expect(around.document.matches_commit_detail.counts).toEqual({ submodule: 1 });
  },
);

test.skipIf(!HAS_GIT)(
  "case 12: a context that the repository around it ignores or never added is not from its commit",
  async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE, files: { ".gitignore": "ignored/\n" } });
    plantFiles(root, { "ignored/a": "a", "untracked/a": "a" });
    for (const context of ["ignored", "untracked"]) {
      const { exit, document } = await captureJson(join(root, context));
      expect(exit).toBe(0);
      for (const name of ["source_repo", "source_commit", "source_ref", "source_subpath", "source_dirty"]) {
        expect(document.fields[name]).toEqual({ value: null, source: "none", reason: "context_not_tracked" });
      }
      expect(document.matches_commit).toBeNull();
      expect(warningCodes(document)).toEqual(["context_not_tracked"]);
    }
  },
);

test.skipIf(!HAS_GIT)(
  "a context that was just added to the index comes from the commit, and is not in it",
  async () => {
    const root = makeRepository(newFolder());
    plantFiles(root, { "new/a": "a" });
    git(root, "add", "new");
    const { document } = await captureJson(join(root, "new"));
    expect(document.source_fields).toMatchObject({ source_subpath: "new", source_dirty: true });
    expect(document.matches_commit).toBe(false);
    expect(document.matches_commit_detail.counts).toEqual({ untracked: 1 });
  },
);

test.skipIf(!HAS_GIT)(
  "case 13: --repo names the work tree, and a context outside it has no commit",
  async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    const inside = await captureJson(join(root, "app"), ["--repo", root]);
    expect(inside.document.source_fields).toMatchObject({ source_repo: REPO, source_subpath: "app" });
    const outside = plantFiles(newFolder(), { a: "a" });
    const { exit, document } = await captureJson(outside, ["--repo", root]);
    expect(exit).toBe(0);
    expect(document.fields["source_commit"]).toEqual({
      value: null,
      source: "none",
      reason: "context_outside_repo",
    });
    expect(document.fields["source_dirty"]?.value).toBeNull();
    const sibling = plantFiles(`${root}-beside`, { a: "a" });
    expect((await captureJson(sibling, ["--repo", root])).document.fields["source_commit"]?.reason).toBe(
      "context_outside_repo",
    );
    rmSync(sibling, { recursive: true });
    const missing = await captureJson(root, ["--repo", join(root, "missing")]);
    expect([missing.exit, missing.document.error?.code]).toEqual([7, "path_not_found"]);
  },
);

test.skipIf(!HAS_GIT)("a context behind a link is inside the work tree that it really lies in", async () => {
  const root = makeRepository(newFolder(), { remote: REMOTE });
  const link = join(newFolder(), "link");
  Bun.spawnSync(["ln", "-s", join(root, "app"), link]);
  const { document } = await captureJson(link);
  expect(document.source_fields).toMatchObject({
    source_repo: REPO,
    source_subpath: "app",
    source_dirty: false,
  });
});

test.skipIf(!HAS_GIT || !IS_ROOT)(
  "case 3: a repository of somebody else is a reason with the remedy, which then works",
  async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    Bun.spawnSync(["chown", "-R", "65534:65534", root]);
    const { exit, document } = await captureJson(root);
    expect(exit).toBe(0);
    expectNoGit(document, "git_dubious_ownership");
    expect(document.warnings[0]?.message).toContain("git config --global --add safe.directory");
    const env = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: realpathSync(root),
    };
    const trusted = await captureJson(root, [], { env });
    expect(trusted.document.source_fields["source_repo"]).toBe(REPO);
    const file = join(newFolder(), "gitconfig");
    writeFileSync(file, `[safe]\n\tdirectory = ${root}\n`);
    const byFile = await captureJson(root, [], { env: { GIT_CONFIG_GLOBAL: file } });
    expect(byFile.document.matches_commit).toBe(true);
  },
);

test.skipIf(!HAS_GIT || !IS_ROOT)(
  "case 4: under sudo the repository of the calling user is trusted",
  async () => {
    const root = makeRepository(newFolder());
    Bun.spawnSync(["chown", "-R", "65534:65534", root]);
    const { document } = await captureJson(root, [], { env: { SUDO_UID: "65534" } });
    expect(document.source_fields["source_ref"]).toBe("main");
  },
);

test.skipIf(!HAS_GIT || !IS_ROOT)(
  "case 3: where git trusts nobody a CI claim fills in, marked as a claim",
  async () => {
    const root = makeRepository(newFolder());
    chownSync(root, 65_534, 65_534);
    chownSync(join(root, ".git"), 65_534, 65_534);
    const commit = git("/", "-c", `safe.directory=${root}`, "-C", root, "rev-parse", "HEAD");
    const env = {
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "Team/App",
      GITHUB_SHA: commit,
      GITHUB_REF_NAME: "main",
    };
    const { document } = await captureJson(root, [], { env });
    expect(document.fields["source_commit"]).toEqual({ value: commit, source: "ci", reason: null });
    expect(document.fields["source_repo"]).toEqual({
      value: "github.com/Team/App",
      source: "ci",
      reason: null,
    });
    expect(document.fields["source_dirty"]?.reason).toBe("git_dubious_ownership");
  },
);

test.skipIf(!HAS_GIT)("case 20: an unborn branch has a name and no commit", async () => {
  const root = newFolder();
  git("/", "init", "-q", "-b", "trunk", root);
  plantFiles(root, { a: "a" });
  const { document } = await captureJson(root);
  expect(document.fields["source_commit"]).toEqual({ value: null, source: "none", reason: "unborn_branch" });
  expect(document.source_fields).toMatchObject({ source_ref: "trunk", source_dirty: true });
  expect([document.matches_commit, document.matches_commit_detail.reason]).toEqual([null, "unborn_branch"]);
});

test.skipIf(!HAS_GIT)("a HEAD whose commit is lost is a broken repository, not a new branch", async () => {
  const root = makeRepository(newFolder());
  const commit = git(root, "rev-parse", "HEAD");
  rmSync(join(root, ".git/objects", commit.slice(0, 2), commit.slice(2)));
  const { exit, document } = await captureJson(root);
  expect(exit).toBe(0);
  expect(document.fields["source_commit"]).toEqual({ value: null, source: "none", reason: "git_failed" });
  expect(document.fields["source_dirty"]?.value).toBeNull();
  expect(document.matches_commit).toBeNull();
});

test.skipIf(!HAS_GIT)(
  "case 19: a sha256 repository has a commit of 64 digits and a tree id of its own kind",
  async () => {
    const root = makeRepository(newFolder(), { format: "sha256" });
    const { document } = await captureJson(root);
    expect(document.source_fields["source_commit"]).toMatch(/^[0-9a-f]{64}$/u);
    expect(document.digests["git_tree"]).toBe(git(root, "rev-parse", "HEAD:"));
    expect(document.matches_commit).toBe(true);
  },
);

test.skipIf(!HAS_GIT)(
  "case 21: shallow clones, alternates and packed refs are read like any other",
  async () => {
    const base = newFolder();
    const root = makeRepository(join(base, "origin"));
    plantFiles(root, { more: "x" });
    git(root, "add", "more");
    git(root, "commit", "-q", "-m", "second");
    const head = git(root, "rev-parse", "HEAD");
    git("/", "clone", "-q", "--depth=1", `file://${root}`, join(base, "shallow"));
    git("/", "clone", "-q", "--shared", root, join(base, "alternates"));
    git("/", "clone", "-q", root, join(base, "packed"));
    git(join(base, "packed"), "pack-refs", "--all");
    git(join(base, "packed"), "gc", "-q");
    for (const kind of ["shallow", "alternates", "packed"]) {
      const { document } = await captureJson(join(base, kind));
      expect([kind, document.source_fields["source_commit"], document.matches_commit]).toEqual([
        kind,
        head,
        true,
      ]);
    }
  },
);

test.skipIf(!HAS_GIT)("a folder where the commit has a file holds nothing of the commit", async () => {
  const root = makeRepository(newFolder(), { files: { app: "a file\n" } });
  rmSync(join(root, "app"));
  mkdirSync(join(root, "app"));
  plantFiles(root, { "app/a": "a" });
  const { document } = await captureJson(join(root, "app"));
  expect(document.source_fields["source_dirty"]).toBe(true);
  expect(document.matches_commit_detail.counts).toEqual({ untracked: 1 });
});
