import { expect, test } from "bun:test";
import { appendFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { captureJson, warningCodes, type CaptureDocument } from "../context/support/run-capture.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, commitAll, git, HAS_GIT, makeRepository, REMOTE, REPO } from "./support/repository.ts";

const newFolder = scratchFolders();

async function without(root: string, more: Readonly<Record<string, string>> = {}): Promise<CaptureDocument> {
  const { exit, document } = await captureJson(root, [], { env: { PATH: "/nonexistent", ...more } });
  expect([exit, document.digests["working_tree_hash"]?.length]).toEqual([0, 64]);
  return document;
}

/** Commit, ref and repo are what git says of the same place. */
async function expectAsGit(root: string): Promise<CaptureDocument> {
  const document = await without(root);
  const { document: wanted } = await captureJson(root);
  for (const name of ["source_repo", "source_commit", "source_ref", "source_subpath"]) {
    expect([name, document.fields[name]]).toEqual([name, wanted.fields[name]]);
  }
  expect(document.digests).toEqual(wanted.digests);
  expect(document.ref_full).toBe(wanted.ref_full);
  expect([document.matches_commit, document.matches_commit_detail.reason]).toEqual([null, "git_missing"]);
  expect(document.fields["source_dirty"]).toEqual({ value: null, source: "none", reason: "git_missing" });
  expect(document.pushed_detail.reason).toBe("git_missing");
  return document;
}

test.skipIf(!HAS_GIT)(
  "case 1: without git, commit, branch and remote come from the repository's files",
  async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    const document = await expectAsGit(join(root, "app"));
    expect(document.source_fields).toMatchObject({
      source_commit: git(root, "rev-parse", "HEAD"),
      source_ref: "main",
      source_repo: REPO,
      source_subpath: "app",
    });
    expect(document.git).toMatchObject({ read_by: "files" });
    expect(warningCodes(document)).toEqual(["git_missing"]);
  },
);

const STATES: readonly { readonly name: string; readonly at: (root: string) => void }[] = [
  { name: "packed refs", at: (root) => git(root, "pack-refs", "--all") },
  {
    name: "a loose ref over a packed one",
    at: (root) => {
      git(root, "pack-refs", "--all");
      commitAll(root, "second");
    },
  },
  { name: "a branch with slashes", at: (root) => git(root, "checkout", "-q", "-b", "feature/a/b") },
  { name: "a branch in Unicode", at: (root) => git(root, "checkout", "-q", "-b", "f\u00e9\u{1f680}") },
  { name: "a detached HEAD", at: (root) => git(root, "checkout", "-q", "--detach") },
  {
    name: "a branch that is another one",
    at: (root) => git(root, "symbolic-ref", "refs/heads/main", "refs/heads/x"),
  },
  {
    name: "a tracked remote",
    at: (root) => {
      git(root, "config", "remote.up.url", "https://h.example.com/up/app");
      git(root, "config", "branch.main.remote", "up");
    },
  },
  { name: "no remote", at: (root) => git(root, "config", "--unset", "remote.origin.url") },
  {
    name: "a configuration with quotes and comments",
    at: (root) => appendFileSync(join(root, ".git/config"), '[Remote "origin"] # c\n\tURL = "x" ; c\n'),
  },
  {
    name: "the configuration of one worktree",
    at: (root) => {
      git(root, "config", "extensions.worktreeConfig", "true");
      git(root, "config", "--worktree", "branch.main.remote", "origin");
    },
  },
];

for (const { name, at } of STATES) {
  test.skipIf(!HAS_GIT)(`without git: ${name}`, async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    at(root);
    await expectAsGit(root);
  });
}

test.skipIf(!HAS_GIT)("without git: a sha256 repository", async () => {
  await expectAsGit(makeRepository(newFolder(), { format: "sha256" }));
});

test.skipIf(!HAS_GIT)("without git: a linked worktree, a submodule, a shallow clone", async () => {
  const base = newFolder();
  const root = makeRepository(join(base, "main"), { remote: REMOTE });
  git(root, "worktree", "add", "-q", "-b", "feature", join(base, "linked"));
  commitAll(join(base, "linked"), "second");
  expect((await expectAsGit(join(base, "linked"))).git).toMatchObject({ linked_worktree: true });
  expect((await expectAsGit(root)).git).toMatchObject({ linked_worktree: false });
  const sub = addSubmodule(
    root,
    makeRepository(join(base, "inner"), { files: { "lib/a": "a" } }),
    "vendor/inner",
  );
  git(sub, "config", "remote.origin.url", "git@git.example.com:team/inner.git");
  expect((await expectAsGit(join(sub, "lib"))).source_fields["source_repo"]).toBe(
    "git.example.com/team/inner",
  );
  git("/", "clone", "-q", "--depth=1", `file://${root}`, join(base, "shallow"));
  expect((await expectAsGit(join(base, "shallow"))).git).toMatchObject({ shallow: true });
});

type Refusal = { readonly name: string; readonly at: (root: string) => void; readonly reason: string };

const REFUSALS: readonly Refusal[] = [
  {
    name: "a HEAD that is a link",
    at: (root) => {
      renameSync(join(root, ".git/HEAD"), join(root, "head"));
      symlinkSync("../head", join(root, ".git/HEAD"));
    },
    reason: "git_files_unreadable",
  },
  {
    name: "refs behind a link out of the repository",
    at: (root) => {
      renameSync(join(root, ".git/refs/heads"), join(root, "heads"));
      symlinkSync("../../heads", join(root, ".git/refs/heads"));
    },
    reason: "git_files_unreadable",
  },
  {
    name: "a configuration that is a link",
    at: (root) => {
      rmSync(join(root, ".git/config"));
      symlinkSync("/etc/hosts", join(root, ".git/config"));
    },
    reason: "git_files_unreadable",
  },
  {
    name: "a .git that is a link",
    at: (root) => {
      renameSync(join(root, ".git"), join(root, "elsewhere"));
      symlinkSync("elsewhere", join(root, ".git"));
    },
    reason: "git_files_unreadable",
  },
  {
    name: "a HEAD that leads out of the refs",
    at: (root) => writeFileSync(join(root, ".git/HEAD"), "ref: refs/../config\n"),
    reason: "git_files_unreadable",
  },
  {
    name: "a HEAD of nonsense",
    at: (root) => writeFileSync(join(root, ".git/HEAD"), "main\n"),
    reason: "git_files_unreadable",
  },
  {
    name: "a HEAD that is too large",
    at: (root) => writeFileSync(join(root, ".git/HEAD"), `ref: refs/heads/${"x".repeat(70_000)}`),
    reason: "git_files_unreadable",
  },
  {
    name: "a broken configuration",
    at: (root) => appendFileSync(join(root, ".git/config"), "[broken\n"),
    reason: "git_files_unreadable",
  },
  {
    name: "a repository of a later version",
    at: (root) => git(root, "config", "core.repositoryFormatVersion", "2"),
    reason: "git_files_unreadable",
  },
  {
    name: "a ref that points to itself",
    at: (root) => writeFileSync(join(root, ".git/refs/heads/main"), "ref: refs/heads/main\n"),
    reason: "git_files_unreadable",
  },
  {
    name: "core.worktree that points elsewhere",
    at: (root) => git(root, "config", "core.worktree", "/etc"),
    reason: "worktree_mismatch",
  },
  {
    name: "a bare repository",
    at: (root) => git(root, "config", "core.bare", "true"),
    reason: "no_work_tree",
  },
  {
    name: "a .git file that points nowhere",
    at: (root) => {
      rmSync(join(root, ".git"), { recursive: true });
      writeFileSync(join(root, ".git"), "gitdir: /nonexistent\n");
    },
    reason: "git_dir_missing",
  },
  {
    name: "a .git file of nonsense",
    at: (root) => {
      rmSync(join(root, ".git"), { recursive: true });
      writeFileSync(join(root, ".git"), "nonsense");
    },
    reason: "git_files_unreadable",
  },
  {
    name: "refs in a table",
    at: (root) => {
      git(root, "config", "core.repositoryFormatVersion", "1");
      git(root, "config", "extensions.refStorage", "reftable");
      writeFileSync(join(root, ".git/HEAD"), "ref: refs/heads/.invalid\n");
    },
    reason: "reftable_needs_git",
  },
  {
    name: "a branch without a commit",
    at: (root) => git(root, "symbolic-ref", "HEAD", "refs/heads/new"),
    reason: "unborn_branch",
  },
];

for (const { name, at, reason } of REFUSALS) {
  test.skipIf(!HAS_GIT)(`without git: ${name} is ${reason}`, async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    at(root);
    const document = await without(root);
    expect(document.fields["source_commit"]).toEqual({ value: null, source: "none", reason });
  });
}

test.skipIf(!HAS_GIT)("case 21: refs in a table need git, the remote does not", async () => {
  const root = makeRepository(newFolder(), { remote: REMOTE });
  git(root, "config", "core.repositoryFormatVersion", "1");
  git(root, "config", "extensions.refStorage", "reftable");
  const document = await without(root);
  expect(document.fields["source_ref"]?.reason).toBe("reftable_needs_git");
  expect(document.source_fields["source_repo"]).toBe(REPO);
});

test.skipIf(!HAS_GIT)(
  "without git: a configuration that includes others says so, and nothing of them is read",
  async () => {
    const root = makeRepository(newFolder());
    const more = join(newFolder(), "more");
    writeFileSync(more, `[remote "origin"]\n\turl = ${REMOTE}\n`);
    git(root, "config", "include.path", more);
    const document = await without(root);
    expect(document.fields["source_repo"]?.reason).toBe("no_remote");
    expect(document.warnings.map(({ message }) => message).join()).toContain("includes were not read");
  },
);

test.skipIf(!HAS_GIT)("without git: no credential of a remote is anywhere", async () => {
  const root = makeRepository(newFolder(), {
    remote: "https://user:hunter22@git.example.com/a/b.git?token=hunter22",
  });
  const ran = await captureJson(root, ["--verbose"], { env: { PATH: "/nonexistent" } });
  expect(ran.document.source_fields["source_repo"]).toBe("git.example.com/a/b");
  expect(ran.stdout + ran.stderr).not.toContain("hunter22");
});

test.skipIf(!HAS_GIT)("without git: a context outside of --repo, a .git folder, a ceiling", async () => {
  const root = makeRepository(newFolder(), { remote: REMOTE });
  const outside = plantFiles(newFolder(), { a: "a" });
  const ran = await captureJson(outside, ["--repo", root], { env: { PATH: "/nonexistent" } });
  expect(ran.document.fields["source_commit"]?.reason).toBe("context_outside_repo");
  expect((await without(join(root, ".git/refs"))).fields["source_commit"]?.reason).toBe("no_work_tree");
  const below = await without(join(root, "app"), { GIT_CEILING_DIRECTORIES: root });
  expect(below.fields["source_commit"]?.reason).toBe("git_missing");
});

test.skipIf(!HAS_GIT)("without git: a merge in progress is seen", async () => {
  const root = makeRepository(newFolder());
  writeFileSync(join(root, ".git/MERGE_HEAD"), readFileSync(join(root, ".git/refs/heads/main")));
  expect((await without(root)).git).toMatchObject({ in_progress: { kind: "merge", branch: null } });
});
