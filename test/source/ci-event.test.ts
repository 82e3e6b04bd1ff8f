import { expect, test } from "bun:test";
import { proposedChange } from "../../src/source/proposed-change.ts";

const repo = (full_name: string | null): object => ({ repo: full_name === null ? null : { full_name } });
const change = (head: string | null, base: string): object => ({
  pull_request: { head: repo(head), base: repo(base) },
});

const JENKINS = { JENKINS_URL: "https://ci.example/", BUILD_ID: "1" };
const BUILDKITE = { BUILDKITE: "true", BUILDKITE_REPO: "git@github.com:a/b.git" };
const TRAVIS = { TRAVIS: "true", TRAVIS_PULL_REQUEST: "7" };

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
  ["a run that follows nobody knows what", { GITHUB_EVENT_NAME: "workflow_run" }, null, "workflow_run null"],
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
  ["Jenkins", { ...JENKINS, CHANGE_ID: "7" }, null, "pull_request false"],
  ["Jenkins, from a fork", { ...JENKINS, CHANGE_ID: "7", CHANGE_FORK: "evil" }, null, "pull_request true"],
  ["Jenkins, a branch", JENKINS, null, null],
  [
    "CircleCI",
    { CIRCLECI: "true", CIRCLE_PULL_REQUEST: "https://github.com/a/b/pull/7" },
    null,
    "pull_request false",
  ],
  ["CircleCI, from a fork", { CIRCLECI: "true", CIRCLE_PR_NUMBER: "7" }, null, "pull_request true"],
  [
    "Buildkite",
    { ...BUILDKITE, BUILDKITE_PULL_REQUEST: "7", BUILDKITE_PULL_REQUEST_REPO: "git://github.com/a/b.git" },
    null,
    "pull_request false",
  ],
  [
    "Buildkite, from a fork",
    { ...BUILDKITE, BUILDKITE_PULL_REQUEST: "7", BUILDKITE_PULL_REQUEST_REPO: "git://github.com/evil/b.git" },
    null,
    "pull_request true",
  ],
  ["Buildkite, a branch", { ...BUILDKITE, BUILDKITE_PULL_REQUEST: "false" }, null, null],
  ["Bitbucket", { BITBUCKET_BUILD_NUMBER: "1", BITBUCKET_PR_ID: "7" }, null, "pull_request null"],
  ["Woodpecker", { CI: "woodpecker", CI_COMMIT_PULL_REQUEST: "7" }, null, "pull_request null"],
  ["Drone", { DRONE: "true", DRONE_PULL_REQUEST: "7" }, null, "pull_request null"],
  [
    "Travis",
    { ...TRAVIS, TRAVIS_PULL_REQUEST_SLUG: "a/b", TRAVIS_REPO_SLUG: "A/b" },
    null,
    "pull_request false",
  ],
  [
    "Travis, from a fork",
    { ...TRAVIS, TRAVIS_PULL_REQUEST_SLUG: "evil/b", TRAVIS_REPO_SLUG: "a/b" },
    null,
    "pull_request true",
  ],
  ["Travis, a branch", { ...TRAVIS, TRAVIS_PULL_REQUEST: "false" }, null, null],
  ["Azure, nothing said", { BUILD_REASON: "PullRequest" }, null, "PullRequest null"],
];
test.each(CASES)("%s", (_what, env, payload, wanted) => {
  const found = proposedChange(env, payload as never);
  expect(found === null ? null : `${found.event} ${found.isFork}`).toBe(wanted);
});
