import { expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { captureJson, warningCodes, type CaptureDocument } from "../context/support/run-capture.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import {
  addSubmodule,
  commitAll,
  git,
  HAS_GIT,
  makeRepository,
  REMOTE,
  tryGit,
} from "./support/repository.ts";

const newFolder = scratchFolders();

async function captured(root: string, env: Readonly<Record<string, string>> = {}): Promise<CaptureDocument> {
  return (await captureJson(root, [], { env })).document;
}

/** A clone beside its origin, which nobody else writes to. */
function makeClone(...flags: readonly string[]): { origin: string; clone: string } {
  const base = newFolder();
  const origin = makeRepository(join(base, "origin"));
  git(origin, "config", "uploadpack.allowFilter", "true");
  git("/", "clone", "-q", ...flags, `file://${origin}`, join(base, "clone"));
  return { origin, clone: join(base, "clone") };
}

test.skipIf(!HAS_GIT)("the commit's own facts stand beside it", async () => {
  const root = makeRepository(newFolder(), { remote: REMOTE });
  const first = git(root, "rev-parse", "HEAD");
  const second = commitAll(root, "second");
  const document = await captured(root);
  expect(document).toMatchObject({ ref_full: "refs/heads/main", ref_kind: "branch", tags: [] });
  expect(document.git).toEqual({
    read_by: "git",
    object_format: "sha1",
    commit_tree: git(root, "rev-parse", `${second}^{tree}`),
    commit_time: "2024-01-01T00:00:00Z",
    parents: [first],
    signed: false,
    shallow: false,
    partial: false,
    linked_worktree: false,
    in_progress: null,
    submodules: [],
    superproject: null,
    enclosing: null,
  });
});

test.skipIf(!HAS_GIT)("case 25: all tags at HEAD are listed in the order of versions", async () => {
  const root = makeRepository(newFolder());
  git(root, "tag", "elsewhere");
  commitAll(root, "second");
  for (const tag of ["v1.10", "v1.9", "v1.10-rc1"]) git(root, "tag", tag);
  git(root, "tag", "-a", "-m", "annotated", "v1.2");
  git(root, "checkout", "-q", "--detach");
  const document = await captured(root);
  expect(document.tags).toEqual(["v1.2", "v1.9", "v1.10-rc1", "v1.10"]);
  const described = git(root, "describe", "--tags", "--exact-match");
  expect(document).toMatchObject({ ref_full: `refs/tags/${described}`, ref_kind: "tag" });
  expect(document.source_fields["source_ref"]).toBe(described);
});

test.skipIf(!HAS_GIT)("a commit that the origin has is pushed, whichever branch it is behind", async () => {
  const { clone } = makeClone();
  expect(await captured(clone)).toMatchObject({
    pushed: true,
    pushed_detail: { reason: null, ref: "refs/remotes/origin/main" },
  });
  git(clone, "checkout", "-q", "-b", "other");
  commitAll(clone, "second");
  git(clone, "push", "-q", "origin", "other");
  git(clone, "checkout", "-q", "--detach", "HEAD~1");
  expect((await captured(clone)).pushed).toBe(true);
});

test.skipIf(!HAS_GIT)("a commit that only this clone has is not pushed", async () => {
  const { clone } = makeClone();
  commitAll(clone, "second");
  expect(await captured(clone)).toMatchObject({ pushed: false, pushed_detail: { reason: null, ref: null } });
  const { exit, document } = await captureJson(clone, ["--require-pushed"]);
  expect([exit, document.error?.code]).toEqual([5, "requirement_not_met"]);
});

test.skipIf(!HAS_GIT)("without a remote-tracking branch nobody knows whether HEAD was pushed", async () => {
  const root = makeRepository(newFolder());
  const { exit, document } = await captureJson(root, ["--require-pushed"]);
  expect(document).toMatchObject({ pushed: null, pushed_detail: { reason: "no_remote_branch" } });
  expect([exit, document.error?.code]).toEqual([7, "requirement_unknown"]);
});

test.skipIf(!HAS_GIT)("case 18: in a shallow clone what is not seen as pushed is unknown", async () => {
  const { clone } = makeClone("--depth=1");
  expect(await captured(clone)).toMatchObject({ pushed: true, git: { shallow: true } });
  commitAll(clone, "second");
  const document = await captured(clone);
  expect(document).toMatchObject({ pushed: null, pushed_detail: { reason: "shallow" } });
  expect(document.source_fields["source_commit"]).toBe(git(clone, "rev-parse", "HEAD"));
});

test.skipIf(!HAS_GIT)(
  "case 17: a partial clone is said to be one, and nothing is fetched for it",
  async () => {
    const { clone } = makeClone("--filter=blob:none");
    git(clone, "config", "remote.origin.url", "file:///nonexistent");
    expect(await captured(clone)).toMatchObject({ matches_commit: true, git: { partial: true } });
    const bare = makeClone("--filter=tree:0", "--no-checkout").clone;
    plantFiles(bare, { a: "a" });
    const document = await captured(bare);
    expect(document).toMatchObject({ matches_commit: null, git: { partial: true } });
    expect(document.source_fields["source_commit"]).toBe(git(bare, "rev-parse", "HEAD"));
  },
);

type Stop = { readonly kind: string; readonly branch: string | null; readonly at: (root: string) => void };

/** Two branches that changed the same line, `main` checked out. */
function conflicting(): string {
  const root = makeRepository(newFolder());
  git(root, "checkout", "-q", "-b", "other");
  plantFiles(root, { "app/main.ts": "other\n" });
  commitAll(root, "other");
  git(root, "checkout", "-q", "main");
  plantFiles(root, { "app/main.ts": "main again\n" });
  commitAll(root, "main");
  return root;
}

const STOPS: readonly Stop[] = [
  { kind: "merge", branch: null, at: (root) => tryGit(root, "merge", "other") },
  { kind: "cherry_pick", branch: null, at: (root) => tryGit(root, "cherry-pick", "other") },
  { kind: "revert", branch: null, at: (root) => tryGit(root, "revert", "--no-edit", "other") },
  { kind: "rebase", branch: "main", at: (root) => tryGit(root, "rebase", "other") },
  { kind: "rebase", branch: "main", at: (root) => tryGit(root, "rebase", "--apply", "other") },
  { kind: "bisect", branch: "main", at: (root) => tryGit(root, "bisect", "start") },
];

for (const { kind, branch, at } of STOPS) {
  test.skipIf(!HAS_GIT)(`case 30: in the middle of a ${kind} that is said`, async () => {
    const root = conflicting();
    at(root);
    const { exit, document } = await captureJson(root);
    expect(document.git?.["in_progress"]).toEqual({ kind, branch });
    expect([exit, warningCodes(document)]).toEqual([0, ["git_operation_in_progress"]]);
    expect((await captureJson(root, ["--strict"])).exit).toBe(5);
    if (kind !== "bisect") expect(document.source_fields["source_dirty"]).toBe(true);
  });
}

test.skipIf(!HAS_GIT)("case 7: a linked worktree says that it is one", async () => {
  const base = newFolder();
  const root = makeRepository(join(base, "main"));
  git(root, "worktree", "add", "-q", "--detach", join(base, "linked"));
  expect((await captured(join(base, "linked"))).git).toMatchObject({ linked_worktree: true });
  expect((await captured(root)).git).toMatchObject({ linked_worktree: false });
});

function withSubmodule(): { outer: string; sub: string; inner: string } {
  const base = newFolder();
  const inner = makeRepository(join(base, "inner"), { files: { "lib/a": "a\n", "lib/b": "b\n" } });
  const outer = makeRepository(join(base, "outer"), { remote: REMOTE });
  const sub = addSubmodule(outer, inner, "vendor/inner");
  git(sub, "config", "remote.origin.url", "git@git.example.com:team/inner.git");
  return { outer, sub, inner };
}

test.skipIf(!HAS_GIT)("case 9: inside a submodule the repository around it is named too", async () => {
  const { outer, sub } = withSubmodule();
  const { git: facts, source_fields: fields } = await captured(join(sub, "lib"));
  expect(fields["source_repo"]).toBe("git.example.com/team/inner");
  expect(facts?.["superproject"]).toEqual({
    repo: "git.example.com/team/app",
    commit: git(outer, "rev-parse", "HEAD"),
    path: "vendor/inner",
    wanted: git(sub, "rev-parse", "HEAD"),
  });
  const clone = makeRepository(join(outer, "beside"));
  expect((await captured(clone)).git?.["superproject"]).toBeNull();
});

test.skipIf(!HAS_GIT)("case 10: a checked-out submodule is the commit's, byte for byte", async () => {
  const { outer, sub } = withSubmodule();
  const commit = git(sub, "rev-parse", "HEAD");
  const document = await captured(outer);
  expect([document.matches_commit, document.matches_commit_detail.counts]).toEqual([true, {}]);
  expect(document.git?.["submodules"]).toEqual([
    { path: "vendor/inner", commit, head: commit, repo: "git.example.com/team/inner" },
  ]);
  expect((await captured(join(outer, "vendor"))).matches_commit).toBe(true);
});

const SUBMODULE_CHANGES: readonly { readonly name: string; readonly at: (sub: string) => void }[] = [
  { name: "a changed file", at: (sub) => plantFiles(sub, { "lib/a": "A\n", "lib/b": "B\n" }) },
  { name: "an untracked file", at: (sub) => plantFiles(sub, { "lib/new": "x" }) },
  { name: "a removed file", at: (sub) => rmSync(join(sub, "lib/a")) },
  {
    name: "another commit",
    at: (sub) => {
      plantFiles(sub, { "lib/a": "A\n" });
      commitAll(sub, "second");
    },
  },
  {
    name: "a recorded commit that is not here",
    at: (sub) => {
      const outer = join(sub, "../..");
      git(outer, "update-index", "--cacheinfo", `160000,${"a".repeat(40)},vendor/inner`);
      git(outer, "commit", "-q", "-m", "elsewhere");
    },
  },
  {
    name: "no checkout",
    at: (sub) => git(join(sub, "../.."), "submodule", "deinit", "-q", "-f", "vendor/inner"),
  },
];

for (const { name, at } of SUBMODULE_CHANGES) {
  test.skipIf(!HAS_GIT)(`case 10: a submodule with ${name} is one difference`, async () => {
    const { outer, sub } = withSubmodule();
    at(sub);
    const { matches_commit: matches, matches_commit_detail: detail } = await captured(outer);
    expect([matches, detail.counts, detail.samples]).toEqual([
      false,
      { submodule: 1 },
      { submodule: ["vendor/inner"] },
    ]);
  });
}

test.skipIf(!HAS_GIT)("a submodule that the ignore file leaves out is no difference", async () => {
  const { outer, sub } = withSubmodule();
  plantFiles(outer, { ".dockerignore": "vendor\n" });
  commitAll(outer, "ignore");
  git(outer, "submodule", "deinit", "-q", "-f", "vendor/inner");
  expect((await captured(outer)).matches_commit).toBe(true);
  mkdirSync(sub, { recursive: true });
  plantFiles(sub, { x: "x" });
  expect((await captured(outer)).matches_commit).toBe(true);
});

test.skipIf(!HAS_GIT)("a submodule in a submodule is compared too", async () => {
  const { inner } = withSubmodule();
  const middle = makeRepository(newFolder());
  addSubmodule(middle, inner, "deep");
  const outer = makeRepository(newFolder());
  addSubmodule(outer, middle, "mid");
  git(outer, "-c", "protocol.file.allow=always", "submodule", "-q", "update", "--init", "--recursive");
  const before = await captured(outer);
  expect(before.matches_commit).toBe(true);
  expect(before.git?.["submodules"]).toMatchObject([{ path: "mid" }, { path: "mid/deep" }]);
  plantFiles(join(outer, "mid/deep"), { "lib/a": "A\n" });
  const after = await captured(outer);
  expect(after.matches_commit_detail.samples).toEqual({ submodule: ["mid/deep"] });
});

test.skipIf(!HAS_GIT)(
  "case 12: the repository around an untracked context is told apart from the source",
  async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    plantFiles(root, { "untracked/a": "a" });
    const document = await captured(join(root, "untracked"));
    expect(document.git?.["enclosing"]).toEqual({
      repo: "git.example.com/team/app",
      commit: git(root, "rev-parse", "HEAD"),
      ref: "main",
    });
    expect(document.fields["source_commit"]?.reason).toBe("context_not_tracked");
    expect([document.pushed, document.tags, document.ref_full]).toEqual([null, [], null]);
  },
);

test.skipIf(!HAS_GIT)(
  "case 42: a file of Git LFS, an ident and UTF-16 are clean in git by their filters",
  async () => {
    const root = makeRepository(newFolder());
    const large = "large file\n";
    const oid = new Bun.CryptoHasher("sha256").update(large).digest("hex");
    plantFiles(root, {
      "large.bin": `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${large.length}\n`,
      "id.txt": "$Id$\n",
      "wide.txt": "",
      ".gitattributes": "id.txt ident\nwide.txt working-tree-encoding=UTF-16\n",
    });
    writeFileSync(join(root, "wide.txt"), Buffer.from("\ufeffwide\n", "utf16le"));
    commitAll(root, "filters");
    expect((await captured(root)).matches_commit_detail.counts).toEqual({ filter_only: 1 });
    rmSync(join(root, "id.txt"));
    git(root, "checkout", "-q", "--", "id.txt");
    writeFileSync(join(root, "large.bin"), large);
    const document = await captured(root);
    expect(document.matches_commit).toBe(false);
    expect(document.matches_commit_detail.samples).toEqual({
      filter_only: ["id.txt", "large.bin", "wide.txt"],
    });
  },
);

test.skipIf(!HAS_GIT)("case 47: names of untracked files that look like pathspecs are names", async () => {
  const root = makeRepository(newFolder(), { files: { ".gitignore": ":(top)*\n/out/\n", a: "a\n" } });
  plantFiles(root, { ":(top)x": "x", "out/:!a": "x", "-x": "x", "new\nline": "x", "*": "x" });
  const { counts } = (await captured(root)).matches_commit_detail;
  expect(counts).toEqual({ ignored_but_shipped: 2, untracked: 3 });
});

/** A pull request as the runner checks it out: the merge of `feature` into `main`. */
function pullRequest(): { root: string; head: string; base: string; merge: string } {
  const root = makeRepository(newFolder(), { remote: REMOTE });
  git(root, "checkout", "-q", "-b", "feature");
  plantFiles(root, { "app/main.ts": "feature\n" });
  const head = commitAll(root, "feature");
  git(root, "checkout", "-q", "main");
  const base = git(root, "rev-parse", "HEAD");
  git(root, "checkout", "-q", "--detach");
  git(root, "merge", "-q", "--no-ff", "-m", "merge", "feature");
  return { root, head, base, merge: git(root, "rev-parse", "HEAD") };
}

function runner(claims: { head: string; base: string; merge: string }): Record<string, string> {
  const event = join(newFolder(), "event.json");
  const { head, base } = claims;
  writeFileSync(
    event,
    JSON.stringify({ pull_request: { number: 7, head: { sha: head }, base: { sha: base } } }),
  );
  return {
    GITHUB_ACTIONS: "true",
    GITHUB_SHA: claims.merge,
    GITHUB_REF: "refs/pull/7/merge",
    GITHUB_REF_NAME: "7/merge",
    GITHUB_HEAD_REF: "feature",
    GITHUB_BASE_REF: "main",
    GITHUB_EVENT_PATH: event,
  };
}

test.skipIf(!HAS_GIT)(
  "case 27: of a pull request the merge, the head and the base are told apart",
  async () => {
    const pull = pullRequest();
    const document = await captured(pull.root, runner(pull));
    expect(document.pull_request).toEqual({
      number: "7",
      checked_out: pull.merge,
      head: pull.head,
      base: pull.base,
      head_ref: "feature",
      base_ref: "main",
      head_repo: null,
      tree_equals_head: true,
      tree_equals_head_detail: { reason: null },
    });
    expect(document.ci).toMatchObject({ ref_full: "refs/pull/7/merge", mismatch: [] });
    expect(document.fields["source_ref"]).toEqual({ value: "7/merge", source: "ci", reason: null });
  },
);

test.skipIf(!HAS_GIT)(
  "case 27: a merge of two changes is not the head's tree, and an absent head is unknown",
  async () => {
    const pull = pullRequest();
    git(pull.root, "checkout", "-q", "main");
    plantFiles(pull.root, { "docs/readme.md": "moved on\n" });
    commitAll(pull.root, "moved on");
    git(pull.root, "checkout", "-q", "--detach");
    git(pull.root, "merge", "-q", "--no-ff", "-m", "merge", "feature");
    const merge = git(pull.root, "rev-parse", "HEAD");
    const document = await captured(pull.root, runner({ ...pull, merge }));
    expect(document.pull_request).toMatchObject({ tree_equals_head: false });
    const gone = await captured(pull.root, runner({ ...pull, merge, head: "a".repeat(40) }));
    expect(gone.pull_request).toMatchObject({
      tree_equals_head: null,
      tree_equals_head_detail: { reason: "head_not_here" },
    });
    const silent = runner({ ...pull, merge });
    delete silent["GITHUB_EVENT_PATH"];
    expect((await captured(pull.root, silent)).pull_request).toMatchObject({
      head: null,
      tree_equals_head_detail: { reason: "head_not_claimed" },
    });
    git(pull.root, "checkout", "-q", pull.head);
    const direct = await captured(pull.root, runner({ ...pull, merge }));
    expect(direct.pull_request).toMatchObject({ tree_equals_head: true, checked_out: pull.head });
    expect(direct.ci).toMatchObject({ mismatch: ["commit"] });
  },
);

test.skipIf(!HAS_GIT)("an old submodule with its .git folder inside is one as well", async () => {
  const root = makeRepository(newFolder());
  makeRepository(join(root, "old"), { files: { a: "a\n" } });
  renameSync(join(root, "old"), join(root, "sub"));
  commitAll(root, "embedded");
  expect((await captured(root)).matches_commit).toBe(true);
  expect((await captured(join(root, "sub"))).git?.["superproject"]).toMatchObject({ path: "sub" });
});
