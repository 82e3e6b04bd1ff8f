import { expect, test } from "bun:test";
import { proposedChange } from "../../src/source/proposed-change.ts";

const repo = (full_name: string | null): object => ({ repo: full_name === null ? null : { full_name } });
const change = (head: string | null, base: string): object => ({
  pull_request: { head: repo(head), base: repo(base) },
});

const CASES: readonly [string, Record<string, string>, unknown, string | null][] = [
  ["a push", { GITHUB_EVENT_NAME: "push" }, {}, null],
  ["a terminal", {}, null, null],
  ["a manual run", { GITHUB_EVENT_NAME: "workflow_dispatch" }, change("a/b", "a/b"), null],
  [
    "from the same repository",
    { GITHUB_EVENT_NAME: "pull_request" },
    change("A/b", "a/B"),
    "pull_request false",
  ],
  [
    "from a fork",
    { GITHUB_EVENT_NAME: "pull_request_target" },
    change("evil/b", "a/b"),
    "pull_request_target true",
  ],
  [
    "from a fork that is gone",
    { GITHUB_EVENT_NAME: "pull_request" },
    change(null, "a/b"),
    "pull_request true",
  ],
  [
    "a review",
    { GITHUB_EVENT_NAME: "pull_request_review" },
    change("a/b", "a/b"),
    "pull_request_review false",
  ],
  ["an event that cannot be read", { GITHUB_EVENT_NAME: "pull_request" }, null, "pull_request null"],
  [
    "an event of another shape",
    { GITHUB_EVENT_NAME: "pull_request" },
    { pull_request: [] },
    "pull_request null",
  ],
  [
    "variables in place of an event",
    { GITHUB_EVENT_NAME: "pull_request", GITHUB_HEAD_REPOSITORY: "evil/b", GITHUB_REPOSITORY: "a/b" },
    null,
    "pull_request true",
  ],
  [
    "a run that follows one from a fork",
    { GITHUB_EVENT_NAME: "workflow_run" },
    {
      workflow_run: {
        event: "pull_request",
        head_repository: { full_name: "evil/b" },
        repository: { full_name: "a/b" },
      },
    },
    "workflow_run of pull_request true",
  ],
  [
    "a run that follows a push",
    { GITHUB_EVENT_NAME: "workflow_run" },
    { workflow_run: { event: "push" } },
    null,
  ],
  [
    "GitLab",
    {
      CI_PIPELINE_SOURCE: "merge_request_event",
      CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "1",
      CI_MERGE_REQUEST_PROJECT_ID: "1",
    },
    null,
    "merge_request_event false",
  ],
  [
    "GitLab, from a fork",
    {
      CI_PIPELINE_SOURCE: "merge_request_event",
      CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "2",
      CI_MERGE_REQUEST_PROJECT_ID: "1",
    },
    null,
    "merge_request_event true",
  ],
  ["GitLab, a push", { CI_PIPELINE_SOURCE: "push" }, null, null],
  ["Azure", { BUILD_REASON: "PullRequest", SYSTEM_PULLREQUEST_ISFORK: "False" }, null, "PullRequest false"],
  [
    "Azure, from a fork",
    { BUILD_REASON: "PullRequest", SYSTEM_PULLREQUEST_ISFORK: "True" },
    null,
    "PullRequest true",
  ],
  ["Azure, nothing said", { BUILD_REASON: "PullRequest" }, null, "PullRequest null"],
];
test.each(CASES)("%s", (_what, env, payload, wanted) => {
  const found = proposedChange(env, payload as never);
  expect(found === null ? null : `${found.event} ${found.isFork}`).toBe(wanted);
});
