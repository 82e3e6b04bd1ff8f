import { expect, test } from "bun:test";
import type { JsonValue } from "../../src/base/json.ts";
import { readCi } from "../../src/source/ci.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const GITHUB = { GITHUB_ACTIONS: "true", GITHUB_SHA: COMMIT };
const GITLAB = { GITLAB_CI: "true" };

for (const commit of ["HEAD", "0123456", "main", `${COMMIT}0`, COMMIT.toUpperCase()]) {
  test(`${JSON.stringify(commit)} is no commit, whoever claims it`, () => {
    expect(readCi({ ...GITHUB, GITHUB_SHA: commit }, null)?.commit).toBeNull();
  });
}

test.each(["a\nb", "a\u202eb", "a\u001b[31m", "x".repeat(1025)])("a ref that deceives is no claim", (ref) => {
  const claims = readCi({ ...GITHUB, GITHUB_REF: `refs/heads/${ref}`, GITHUB_REF_NAME: ref }, null);
  expect([claims?.ref, claims?.refFull]).toEqual([null, null]);
});

test.each(["javascript:alert(1)", "file:///etc/passwd", "ci.example.com/1", "https://"])(
  "%s is no address of a run",
  (url) => {
    expect(readCi({ ...GITLAB, CI_PIPELINE_URL: url }, null)?.runUrl).toBeNull();
  },
);

const NO_EVENTS: readonly JsonValue[] = [
  null,
  [],
  "x",
  1,
  { pull_request: [] },
  { pull_request: { head: { sha: "main" } } },
];

for (const event of NO_EVENTS) {
  test(`${JSON.stringify(event)} is no event, and no claim`, () => {
    expect(readCi(GITHUB, event)?.pullRequest?.head ?? null).toBeNull();
  });
}
