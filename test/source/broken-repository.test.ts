import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { BOUND_BY_MODES, CAN_BE_BOUND, captureJson, warningCodes } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, git, HAS_GIT, makeRepository } from "./support/repository.ts";

const newFolder = scratchFolders();

function withSubmodule(root: string = newFolder()): string {
  makeRepository(root);
  addSubmodule(root, makeRepository(newFolder(), { files: { x: "x" } }), "sub");
  return root;
}

test.skipIf(!HAS_GIT || !CAN_BE_BOUND)(
  "a submodule that one may not look into leaves dirty unknown, and breaks nothing",
  async () => {
    const root = withSubmodule();
    chmodSync(join(root, "sub"), 0);
    const { exit, document } = await captureJson(root, [], { under: BOUND_BY_MODES });
    expect([exit, document.fields["source_dirty"]]).toMatchObject([0, { value: null, reason: "git_failed" }]);
    expect(document.matches_commit_detail.reason).toBe("unreadable");
  },
);

test.skipIf(!HAS_GIT)("a link in a submodule's place is not followed, wherever it leads", async () => {
  const elsewhere = makeRepository(newFolder());
  for (const target of ["sub", elsewhere]) {
    const root = withSubmodule();
    renameSync(join(root, "sub"), join(newFolder(), "sub"));
    symlinkSync(target, join(root, "sub"));
    const { exit, document } = await captureJson(root);
    expect([exit, document.source_fields["source_dirty"], document.matches_commit]).toEqual([0, true, false]);
    expect(document.git).toMatchObject({ submodules: [{ path: "sub", head: null, repo: null }] });
  }
});

// A list of folders, by which git is told how far to go up, cannot name one with a colon.
test.skipIf(!HAS_GIT).each(["plain", "with:colon"])(
  "in a %s folder an empty .git in a submodule's place does not make it the repository around it",
  async (name) => {
    const root = withSubmodule(join(newFolder(), name));
    rmSync(join(root, "sub"), { recursive: true });
    mkdirSync(join(root, "sub/.git"), { recursive: true });
    const { document } = await captureJson(root);
    expect(document.git).toMatchObject({ submodules: [{ path: "sub", head: null, repo: null }] });
    expect(document.fields["source_dirty"]).toMatchObject({ value: null, reason: "not_a_repository" });
    expect(document.matches_commit).toBe(false);
  },
);

test.skipIf(!HAS_GIT)("marks of an operation that are links in a circle break nothing", async () => {
  const root = makeRepository(newFolder());
  symlinkSync("rebase-apply", join(root, ".git/rebase-apply"));
  const { exit, document } = await captureJson(root);
  expect([exit, warningCodes(document)]).toEqual([0, ["git_operation_in_progress"]]);
});

test.skipIf(!HAS_GIT)("case 30: patches that are being applied are told", async () => {
  const root = makeRepository(newFolder());
  mkdirSync(join(root, ".git/rebase-apply"));
  writeFileSync(join(root, ".git/rebase-apply/applying"), "");
  const { document } = await captureJson(root);
  expect(document.git).toMatchObject({ in_progress: { kind: "apply", branch: null } });
  expect(document.warnings[0]?.message).toStartWith("git is in the middle of applying patches;");
});

test.skipIf(!HAS_GIT)(
  "branches that git cannot compare leave pushed unknown, and the commit known",
  async () => {
    const root = makeRepository(newFolder());
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD");
    git(root, "commit", "-q", "--allow-empty", "-m", "second");
    const script = `#!/bin/sh\ncase "$*" in *--contains=HEAD*) exit 128 ;; esac\nexec ${Bun.which("git")} "$@"\n`;
    const folder = plantFiles(newFolder(), { git: script });
    chmodSync(join(folder, "git"), 0o755);
    const { document } = await captureJson(root, [], { env: { PATH: folder } });
    expect(document.pushed_detail).toEqual({ reason: "git_failed", ref: null });
    expect(document.source_fields["source_commit"]).toBe(git(root, "rev-parse", "HEAD"));
  },
);
