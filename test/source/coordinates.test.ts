import { expect, test } from "bun:test";
import type { CiClaims } from "../../src/source/ci.ts";
import { coordinatesOf, mismatchesOf } from "../../src/source/coordinates.ts";
import { absent, known, type AbsenceReason } from "../../src/source/known.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const CLAIMS: CiClaims = {
  system: "github",
  repo: "https://git.example.com/team/app",
  commit: COMMIT,
  ref: "main",
  refFull: "refs/heads/main",
  pullRequest: null,
  runId: null,
  runUrl: null,
};

const CLAIMABLE: readonly AbsenceReason[] = [
  "git_missing",
  "not_a_repository",
  "git_dubious_ownership",
  "git_dir_missing",
  "git_timeout",
  "git_failed",
  "no_work_tree",
];

for (const reason of CLAIMABLE) {
  test(`a CI claim fills in where git says ${reason}, but nobody claims a clean tree`, () => {
    const found = coordinatesOf(reason, CLAIMS);
    expect(found.source_commit).toEqual({ value: COMMIT, source: "ci", reason: null });
    expect(found.source_repo).toEqual({ value: "git.example.com/team/app", source: "ci", reason: null });
    expect(found.source_ref).toEqual({ value: "main", source: "ci", reason: null });
    expect(found.source_dirty).toEqual({ value: null, source: "none", reason });
    expect(found.source_subpath).toEqual({ value: null, source: "none", reason });
  });
}

for (const reason of ["context_outside_repo", "worktree_mismatch"] as const) {
  test(`${reason}: the job's repository is not where this context comes from`, () => {
    const found = coordinatesOf(reason, CLAIMS);
    for (const field of Object.values(found)) expect(field).toEqual({ value: null, source: "none", reason });
  });
}

test("a commit of a sha256 repository can be claimed", () => {
  const commit = "ab".repeat(32);
  expect(coordinatesOf("git_missing", { ...CLAIMS, commit }).source_commit.value).toBe(commit);
});

test("a claimed repository that is no remote is no repository", () => {
  const found = coordinatesOf("git_missing", { ...CLAIMS, repo: "/builds/team/app" });
  expect(found.source_repo).toEqual({ value: null, source: "none", reason: "git_missing" });
});

const DETACHED = {
  repo: known("git.example.com/team/app"),
  commit: known(COMMIT),
  ref: absent("detached_head"),
  refFull: absent("detached_head"),
  subpath: absent("at_top_level"),
  dirty: known(false),
};
const OTHER = "f".repeat(40);

test("a detached HEAD takes the ref that is claimed for this commit, and not for another one", () => {
  expect(coordinatesOf(DETACHED, CLAIMS).source_ref).toEqual({ value: "main", source: "ci", reason: null });
  expect(coordinatesOf(DETACHED, { ...CLAIMS, commit: null }).source_ref.value).toBe("main");
  expect(coordinatesOf(DETACHED, { ...CLAIMS, commit: OTHER }).source_ref).toEqual({
    value: null,
    source: "none",
    reason: "detached_head",
  });
});

test("what git contradicts is named, what only one of them says is not", () => {
  const attached = { ...DETACHED, ref: known("main"), refFull: known("refs/heads/main") };
  expect(mismatchesOf(attached, CLAIMS)).toEqual([]);
  expect(mismatchesOf(DETACHED, CLAIMS)).toEqual([]);
  const otherwise = { repo: "https://git.example.com/x/app", commit: OTHER, refFull: "refs/heads/x" };
  expect(mismatchesOf(attached, { ...CLAIMS, ...otherwise })).toEqual(["repo", "commit", "ref"]);
  const nothing = { repo: null, commit: null, refFull: null };
  expect(mismatchesOf(attached, { ...CLAIMS, ...nothing })).toEqual([]);
  expect(mismatchesOf(attached, { ...CLAIMS, repo: "git@git.example.com:Team/App.git" })).toEqual([]);
});
