import { expect, test } from "bun:test";
import type { CiClaims } from "../../src/source/ci.ts";
import { coordinatesOf } from "../../src/source/coordinates.ts";
import type { AbsenceReason } from "../../src/source/known.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const CLAIMS: CiClaims = {
  system: "github",
  repo: "https://git.example.com/team/app",
  commit: COMMIT,
  ref: "main",
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

for (const commit of ["HEAD", "0123456", "main", `${COMMIT}0`, COMMIT.toUpperCase(), ""]) {
  test(`${JSON.stringify(commit)} is no commit, whoever claims it`, () => {
    const found = coordinatesOf("git_missing", { ...CLAIMS, commit });
    expect(found.source_commit).toEqual({ value: null, source: "none", reason: "git_missing" });
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
