import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { succeed } from "../context/support/tar-readers.ts";
import { PROGRAM } from "../support/binary.ts";
import { peakMemory } from "../support/peak-memory.ts";
import { commitAll, git, HAS_GIT, makeRepository } from "./support/repository.ts";

const newFolder = scratchFolders();
const FILES = {
  Dockerfile: "FROM scratch\n",
  "app/main.ts": "main\n",
  "app/run": "run\n",
  "docs/readme.md": "readme\n",
};

type Case = {
  readonly name: string;
  readonly change: (root: string) => void;
  readonly matches: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly dirty: boolean;
};

const CASES: readonly Case[] = [
  { name: "nothing changed", change: () => {}, matches: true, counts: {}, dirty: false },
  {
    name: "a changed file",
    change: (root) => plantFiles(root, { "app/main.ts": "Main\n" }),
    matches: false,
    counts: { modified: 1 },
    dirty: true,
  },
  {
    name: "an untracked file",
    change: (root) => plantFiles(root, { "app/new": "x" }),
    matches: false,
    counts: { untracked: 1 },
    dirty: true,
  },
  {
    name: "case 43: a file that git ignores and that ships",
    change: (root) => plantFiles(root, { ".env": "SECRET=1", ".git/info/exclude": ".env\n" }),
    matches: false,
    counts: { ignored_but_shipped: 1 },
    dirty: false,
  },
  {
    name: "case 45: a removed file",
    change: (root) => rmSync(join(root, "app/main.ts")),
    matches: false,
    counts: { missing: 1 },
    dirty: true,
  },
  {
    name: "only an executable bit",
    change: (root) => chmodSync(join(root, "app/run"), 0o755),
    matches: false,
    counts: { mode_only: 1 },
    dirty: true,
  },
  {
    name: "case 41: an executable bit that core.fileMode hides",
    change: (root) => {
      git(root, "config", "core.fileMode", "false");
      chmodSync(join(root, "app/run"), 0o755);
    },
    matches: false,
    counts: { mode_only: 1 },
    dirty: false,
  },
  {
    name: "case 39: a file that assume-unchanged hides",
    change: (root) => {
      git(root, "update-index", "--assume-unchanged", "app/main.ts");
      plantFiles(root, { "app/main.ts": "Main\n" });
    },
    matches: false,
    counts: { modified: 1 },
    dirty: false,
  },
  {
    name: "case 39: a file that skip-worktree hides",
    change: (root) => {
      git(root, "update-index", "--skip-worktree", "app/main.ts");
      plantFiles(root, { "app/main.ts": "Main\n" });
    },
    matches: false,
    counts: { skip_worktree: 1 },
    dirty: false,
  },
  {
    name: "case 39: a sparse checkout",
    change: (root) => git(root, "sparse-checkout", "set", "app"),
    matches: false,
    counts: { skip_worktree: 1 },
    dirty: false,
  },
  {
    name: "a staged change that the work tree took back",
    change: (root) => {
      plantFiles(root, { "app/main.ts": "staged\n" });
      git(root, "add", "app");
      plantFiles(root, { "app/main.ts": "main\n" });
    },
    matches: true,
    counts: {},
    dirty: true,
  },
  {
    name: "case 44: a changed file that the ignore file leaves out",
    change: (root) => {
      plantFiles(root, { ".dockerignore": "docs\n" });
      git(root, "add", ".dockerignore");
      git(root, "commit", "-q", "-m", "ignore");
      plantFiles(root, { "docs/readme.md": "changed\n", "docs/new": "x" });
    },
    matches: true,
    counts: {},
    dirty: true,
  },
  {
    name: "case 45: a removed file that the ignore file leaves out",
    change: (root) => {
      plantFiles(root, { ".dockerignore": "docs\n" });
      git(root, "add", ".dockerignore");
      git(root, "commit", "-q", "-m", "ignore");
      rmSync(join(root, "docs"), { recursive: true });
    },
    matches: true,
    counts: {},
    dirty: true,
  },
  {
    name: "a removed Dockerfile that the ignore file names",
    change: (root) => {
      plantFiles(root, { ".dockerignore": "Dockerfile\n" });
      git(root, "add", ".dockerignore");
      git(root, "commit", "-q", "-m", "ignore");
      plantFiles(root, { Dockerfile: "FROM busybox\n" });
    },
    matches: false,
    counts: { modified: 1 },
    dirty: true,
  },
  {
    name: "case 46: a renamed file",
    change: (root) => renameSync(join(root, "app/run"), join(root, "app/ran")),
    matches: false,
    counts: { missing: 1, untracked: 1 },
    dirty: true,
  },
  {
    name: "case 46: only an empty folder",
    change: (root) => mkdirSync(join(root, "empty")),
    matches: true,
    counts: {},
    dirty: false,
  },
  {
    name: "a link in a file's place",
    change: (root) => {
      rmSync(join(root, "app/run"));
      symlinkSync("main.ts", join(root, "app/run"));
    },
    matches: false,
    counts: { modified: 1 },
    dirty: true,
  },
  {
    name: "case 14: an embedded repository",
    change: (root) => void makeRepository(join(root, "vendor/embedded"), { files: { a: "a\n" } }),
    matches: false,
    counts: { untracked: 1 },
    dirty: true,
  },
];

for (const { name, change, matches, counts, dirty } of CASES) {
  test.skipIf(!HAS_GIT)(`${name}: the bytes are ${matches ? "" : "not "}the commit's`, async () => {
    const root = makeRepository(newFolder(), { files: FILES });
    change(root);
    const { document } = await captureJson(root);
    expect(document.matches_commit).toBe(matches);
    expect([document.matches_commit_detail.reason, document.matches_commit_detail.counts]).toEqual([
      null,
      counts,
    ]);
    expect(document.source_fields["source_dirty"]).toBe(dirty);
    const required = await captureJson(root, ["--require-matches-commit"]);
    expect([required.exit, required.document.error?.code]).toEqual(
      matches ? [0, undefined] : [5, "requirement_not_met"],
    );
  });
}

test.skipIf(!HAS_GIT)("case 46: a link that points elsewhere than in the commit is modified", async () => {
  const root = makeRepository(newFolder());
  symlinkSync("app", join(root, "link"));
  git(root, "add", "link");
  git(root, "commit", "-q", "-m", "link");
  expect((await captureJson(root)).document.matches_commit).toBe(true);
  rmSync(join(root, "link"));
  symlinkSync("docs", join(root, "link"));
  const { document } = await captureJson(root);
  expect(document.matches_commit_detail.counts).toEqual({ modified: 1 });
  expect(document.matches_commit_detail.samples).toEqual({ modified: ["link"] });
});

test.skipIf(!HAS_GIT)("a file in a link's place is modified, though it has the link's bytes", async () => {
  const root = makeRepository(newFolder());
  symlinkSync("app", join(root, "link"));
  git(root, "add", "link");
  git(root, "commit", "-q", "-m", "link");
  rmSync(join(root, "link"));
  writeFileSync(join(root, "link"), "app");
  const { document } = await captureJson(root);
  expect(document.matches_commit_detail.counts).toEqual({ modified: 1 });
});

test.skipIf(!HAS_GIT)(
  "case 42: line ends that a checkout converts are clean in git and not the commit's bytes",
  async () => {
    const root = makeRepository(newFolder());
    git(root, "config", "core.autocrlf", "true");
    rmSync(join(root, "app/main.ts"));
    git(root, "checkout", "-q", "--", "app/main.ts");
    const { document } = await captureJson(root);
    expect(document.source_fields["source_dirty"]).toBe(false);
    expect(document.matches_commit).toBe(false);
    expect(document.matches_commit_detail.counts).toEqual({ eol_only: 1 });
  },
);

test.skipIf(!HAS_GIT)(
  "a replacement of the commit, which no clone has, is not taken for the commit",
  async () => {
    const root = makeRepository(newFolder());
    const commit = git(root, "rev-parse", "HEAD");
    plantFiles(root, { "app/main.ts": "other\n" });
    git(root, "commit", "-q", "-a", "-m", "other");
    const other = git(root, "rev-parse", "HEAD");
    git(root, "reset", "-q", "--hard", commit);
    git(root, "replace", commit, other);
    git(root, "reset", "-q", "--hard");
    const { document } = await captureJson(root);
    expect(document.source_fields["source_commit"]).toBe(commit);
    // The work tree holds the replacement's bytes.
    expect(document.matches_commit).toBe(false);
    expect(document.source_fields["source_dirty"]).toBe(true);
  },
);

test.skipIf(!HAS_GIT)("at most five paths of a kind are samples, and all are counted", async () => {
  const root = makeRepository(newFolder());
  for (let index = 0; index < 9; index++) writeFileSync(join(root, `new-${index}`), "x");
  const { document } = await captureJson(root);
  expect(document.matches_commit_detail.counts).toEqual({ untracked: 9 });
  expect(document.matches_commit_detail.samples["untracked"]).toEqual([
    "new-0",
    "new-1",
    "new-2",
    "new-3",
    "new-4",
  ]);
});

test.skipIf(!HAS_GIT)(
  "what was added in spite of the ignore files is untracked, and not ignored",
  async () => {
    const root = makeRepository(newFolder(), { files: { ".gitignore": "*.log\n", "app/a": "a" } });
    plantFiles(root, { "app/added.log": "x", "app/left.log": "x", "app/new": "x" });
    git(root, "add", "--force", "app/added.log");
    for (const context of [root, join(root, "app")]) {
      const { document } = await captureJson(context);
      expect(document.matches_commit_detail.counts).toEqual({ untracked: 2, ignored_but_shipped: 1 });
      expect(document.matches_commit_detail.samples["ignored_but_shipped"]?.[0]).toEndWith("left.log");
    }
  },
);

test.skipIf(!HAS_GIT)("a large file that changed is not taken into memory to say how", async () => {
  const root = makeRepository(newFolder(), { files: { small: "a\n" } });
  // By others: what this process holds in memory would count as the memory of those that it starts.
  const write = (line: string): unknown =>
    succeed(["sh", "-c", 'yes "$0" | head -c 60000000 > "$1"', line, join(root, "large")]);
  write("a line");
  commitAll(root, "large");
  writeFileSync(join(root, "small"), "a\r\n");
  write("a line\r");
  const { document } = await captureJson(root);
  expect(document.matches_commit_detail.counts).toEqual({ eol_only: 1, modified: 1 });
  const { exit, maxRss } = await peakMemory([...PROGRAM, "capture", root], root);
  expect(exit).toBe(0);
  expect(maxRss).toBeLessThan(200 * 2 ** 20);
});

test.skipIf(!HAS_GIT)("without a commit to compare with the requirement is unknown", async () => {
  const { exit, document } = await captureJson(plantFiles(newFolder(), { a: "a" }), [
    "--require-matches-commit",
  ]);
  expect([exit, document.error?.code]).toEqual([7, "requirement_unknown"]);
});

for (const format of ["sha1", "sha256"] as const) {
  test.skipIf(!HAS_GIT)(
    `git_tree is HEAD:<subpath> of a clean ${format} repository, at every depth`,
    async () => {
      const files = {
        "a/b/c/d": "d\n",
        "a-b": "x\n",
        "a.b/x": "x\n",
        "a/b/e": "e\n",
        a0: "x\n",
        "\u00e9/\u{1f600}": "x\n",
      };
      const root = makeRepository(newFolder(), { format, files });
      for (const subpath of ["", "a", "a/b", "a/b/c", "\u00e9"]) {
        const { document } = await captureJson(join(root, subpath));
        expect([subpath, document.digests["git_tree"]]).toEqual([
          subpath,
          git(root, "rev-parse", `HEAD:${subpath}`),
        ]);
      }
    },
  );
}
