import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles, plantTree } from "../context/support/disk-tree.ts";
import {
  BOUND_BY_MODES,
  CAN_BE_BOUND,
  captureJson,
  waybill,
  type CaptureDocument,
  type Surroundings,
} from "../context/support/run-capture.ts";
import { IS_ROOT, scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, git, HAS_GIT, makeRepository, REMOTE } from "./support/repository.ts";

const newFolder = scratchFolders();

type Subject = {
  readonly context: string;
  readonly args?: readonly string[];
  readonly surroundings?: Surroundings;
};
type Case = {
  readonly reason: string;
  /** The row of the report that is absent for that reason. */
  readonly row: string;
  /** What to do about it, in the same line. */
  readonly remedy: string;
  readonly make: () => Subject;
  readonly skip?: boolean;
};

/** An environment in which git is this shell script. */
function withGit(script: string): Surroundings {
  const folder = plantFiles(newFolder(), { git: `#!/bin/sh\n${script}\n` });
  chmodSync(join(folder, "git"), 0o755);
  return { env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` } };
}

function configured(...settings: readonly (readonly [string, string])[]): Subject {
  const context = makeRepository(newFolder());
  for (const [key, value] of settings) git(context, "config", key, value);
  return { context };
}

function clone(...flags: readonly string[]): string {
  const base = newFolder();
  const origin = makeRepository(join(base, "origin"));
  git("/", "clone", "-q", ...flags, `file://${origin}`, join(base, "clone"));
  return join(base, "clone");
}

const TRAVIS = { TRAVIS: "true", TRAVIS_PULL_REQUEST: "7" };
const WITHOUT_GIT: Surroundings = { env: { PATH: "/nonexistent" } };

const CASES: readonly Case[] = [
  {
    reason: "not_a_repository",
    row: "commit",
    remedy: "capture a clone",
    make: () => ({ context: plantFiles(newFolder(), { a: "a" }) }),
  },
  {
    reason: "git_missing",
    row: "dirty",
    remedy: "install it",
    make: () => ({ context: makeRepository(newFolder(), { remote: REMOTE }), surroundings: WITHOUT_GIT }),
  },
  {
    reason: "git_dubious_ownership",
    row: "commit",
    remedy: "git config --global --add safe.directory",
    skip: !IS_ROOT,
    make: () => {
      const context = makeRepository(newFolder());
      Bun.spawnSync(["chown", "-R", "65534:65534", context]);
      return { context };
    },
  },
  {
    reason: "git_timeout",
    row: "commit",
    remedy: "--time-budget",
    make: () => ({
      context: plantFiles(newFolder(), { a: "a", ".git/HEAD": "" }),
      args: ["--time-budget", "100ms"],
      surroundings: withGit("exec sleep 1000"),
    }),
  },
  {
    reason: "git_failed",
    row: "commit",
    remedy: "git status",
    make: () => ({
      context: plantFiles(newFolder(), { a: "a", ".git/HEAD": "" }),
      surroundings: withGit("exit 1"),
    }),
  },
  {
    reason: "git_index_unreadable",
    row: "dirty",
    remedy: "git reset",
    make: () => {
      const context = makeRepository(newFolder());
      writeFileSync(join(context, ".git/index"), "this is no index, though it is long enough for one");
      return { context };
    },
  },
  {
    reason: "git_dir_missing",
    row: "commit",
    remedy: "mount the main repository too",
    make: () => ({ context: plantFiles(newFolder(), { a: "a", ".git": "gitdir: /nonexistent/one\n" }) }),
  },
  {
    reason: "git_files_unreadable",
    row: "commit",
    remedy: "git is not installed",
    make: () => {
      const context = makeRepository(newFolder());
      writeFileSync(join(context, ".git/config"), "[broken\n");
      return { context, surroundings: WITHOUT_GIT };
    },
  },
  {
    reason: "reftable_needs_git",
    row: "commit",
    remedy: "install git",
    make: () => ({
      ...configured(["core.repositoryFormatVersion", "1"], ["extensions.refStorage", "reftable"]),
      surroundings: WITHOUT_GIT,
    }),
  },
  {
    reason: "context_not_tracked",
    row: "commit",
    remedy: "commit it there",
    make: () => {
      const root = makeRepository(newFolder());
      plantFiles(root, { "new/a": "a" });
      return { context: join(root, "new") };
    },
  },
  {
    reason: "context_outside_repo",
    row: "commit",
    remedy: "name the one that it lies in",
    make: () => ({
      context: plantFiles(newFolder(), { a: "a" }),
      args: ["--repo", makeRepository(newFolder())],
    }),
  },
  {
    reason: "worktree_mismatch",
    row: "commit",
    remedy: "git config --unset core.worktree",
    make: () => configured(["core.worktree", "/etc"]),
  },
  {
    reason: "no_work_tree",
    row: "commit",
    remedy: "capture a clone of it",
    make: () => ({ context: join(makeRepository(newFolder()), ".git") }),
  },
  {
    reason: "unborn_branch",
    row: "commit",
    remedy: "git commit",
    make: () => {
      const context = newFolder();
      git("/", "init", "-q", context);
      return { context: plantFiles(context, { a: "a" }) };
    },
  },
  {
    reason: "submodule_not_initialised",
    row: "dirty",
    remedy: "git submodule update --init",
    make: () => {
      const outer = makeRepository(newFolder());
      addSubmodule(outer, makeRepository(newFolder(), { files: { inner: "x\n" } }), "vendor");
      const base = newFolder();
      git("/", "clone", "-q", outer, join(base, "clone"));
      return { context: join(base, "clone/vendor") };
    },
  },
  {
    reason: "filter_not_disabled",
    row: "dirty",
    remedy: "rename it",
    make: () => configured(["filter.a=b.clean", "cat"]),
  },
  {
    reason: "detached_head",
    row: "ref",
    remedy: "git switch",
    make: () => {
      const context = makeRepository(newFolder());
      git(context, "checkout", "-q", "--detach");
      return { context };
    },
  },
  { reason: "no_remote", row: "repo", remedy: "git remote add origin URL", make: () => configured() },
  {
    reason: "ambiguous_remote",
    row: "repo",
    remedy: "rename one to origin",
    make: () => configured(["remote.a.url", "https://h/a/app"], ["remote.b.url", "https://h/b/app"]),
  },
  {
    reason: "local_remote",
    row: "repo",
    remedy: "git remote set-url origin URL",
    make: () => configured(["remote.origin.url", "/srv/git/app.git"]),
  },
  {
    reason: "unsupported_remote",
    row: "repo",
    remedy: "set a plain https or ssh URL",
    make: () => configured(["remote.origin.url", "ext::sh -c true"]),
  },
  {
    reason: "no_remote_branch",
    row: "pushed",
    remedy: "git fetch",
    make: () => configured(["remote.origin.url", REMOTE]),
  },
  {
    reason: "shallow",
    row: "pushed",
    remedy: "fetch more of the history",
    make: () => {
      const context = clone("--depth=1");
      git(context, "commit", "-q", "--allow-empty", "-m", "second");
      return { context };
    },
  },
  {
    reason: "no_commit",
    row: "pushed",
    remedy: "git commit",
    make: () => {
      const context = plantFiles(newFolder(), { a: "a" });
      git(context, "init", "-q");
      return { context };
    },
  },
  {
    reason: "context_empty",
    row: "matches commit",
    remedy: "ignore file leaves out",
    make: () => {
      const all = join(plantFiles(newFolder(), { all: "*\n" }), "all");
      return { context: makeRepository(newFolder()), args: ["--ignore-file", all] };
    },
  },
  {
    reason: "head_not_claimed",
    row: "tree of head",
    remedy: "does not name the proposed commit",
    make: () => ({ context: makeRepository(newFolder()), surroundings: { env: TRAVIS } }),
  },
  {
    reason: "head_not_here",
    row: "tree of head",
    remedy: "depth of 2",
    make: () => ({
      context: makeRepository(newFolder()),
      surroundings: { env: { ...TRAVIS, TRAVIS_PULL_REQUEST_SHA: "1".repeat(40) } },
    }),
  },
  {
    reason: "unreadable",
    row: "tree hash",
    remedy: "make it readable or ignore it",
    skip: !CAN_BE_BOUND,
    make: () => {
      const context = plantFiles(newFolder(), { a: "a" });
      chmodSync(join(context, "a"), 0);
      return { context, surroundings: { under: BOUND_BY_MODES } };
    },
  },
  {
    reason: "ignore_file_invalid",
    row: "tree hash",
    remedy: "docker build refuses it too",
    make: () => ({ context: plantFiles(newFolder(), { a: "a", ".dockerignore": "!\n" }) }),
  },
  {
    reason: "name_not_utf8",
    row: "tree hash",
    remedy: "rename it",
    make: () => ({
      context: plantTree(newFolder(), [{ path: Buffer.from("a\u00ff", "latin1"), text: "x" }]),
    }),
  },
  {
    reason: "name_has_line_feed",
    row: "dir hash",
    remedy: "rename it",
    make: () => ({ context: plantFiles(newFolder(), { "a\nb": "x" }) }),
  },
  {
    reason: "not_asked",
    row: "tree hash",
    remedy: "name it with --digest",
    make: () => ({ context: plantFiles(newFolder(), { a: "a" }), args: ["--digest", "dir_hash"] }),
  },
];

for (const { reason, row, remedy, make, skip = false } of CASES) {
  test.skipIf(!HAS_GIT || skip)(`${reason} is told with its remedy, and is no value`, async () => {
    const { context, args = [], surroundings = {} } = make();
    const { exit, stdout } = await waybill(["capture", context, ...args], surroundings);
    expect(exit).toBe(0);
    const lines = stdout.split("\n");
    expect(lines.find((line) => line.startsWith(`${row} `))).toStartWith(
      `${row.padEnd(15)} \u2013 (${reason})`,
    );
    // Once: the same cause may leave many facts open.
    const told = lines.filter((line) => line.includes(`(${reason}): `));
    expect(told.map((line) => line.includes(remedy))).toEqual([true]);
    const { document } = await captureJson(context, args, surroundings);
    expect(absencesOf(document)).toContain(reason);
    for (const field of Object.values(document.fields)) {
      expect([field.value === null, field.source === "none", field.reason !== null]).toEqual(
        field.value === null ? [true, true, true] : [false, false, false],
      );
    }
  });
}

function absencesOf(document: CaptureDocument): (string | null)[] {
  return [
    ...Object.values(document.fields).map((field) => field.reason),
    ...Object.values(document.digests_detail.reasons),
    document.matches_commit_detail.reason,
    document.pushed_detail.reason,
    document.ref_full_detail.reason,
    ...(document.pull_request === null ? [] : [treeOfHead(document.pull_request)]),
  ];
}

function treeOfHead({ tree_equals_head_detail: detail }: Readonly<Record<string, unknown>>): string | null {
  return (detail as { readonly reason: string | null }).reason;
}
