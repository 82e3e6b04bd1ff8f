import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../src/base/json.ts";
import { eventFile, readCi, type CiClaims, type PullRequestClaims } from "../../src/source/ci.ts";

type Variables = Readonly<Record<string, string>>;
type Claims = Partial<Omit<CiClaims, "pullRequest">> & {
  readonly pullRequest?: Partial<PullRequestClaims> | null;
};
/** What a system's variables are changed to, and what it then claims besides the rest. */
type Row = readonly [what: string, changed: Variables, claims: Claims | null, event?: JsonValue];

const [COMMIT, HEAD, BASE] = ["c".repeat(40), "a".repeat(40), "b".repeat(40)];
const LONG = "d".repeat(64);

const SYSTEMS: readonly { readonly name: string; readonly env: Variables; readonly rows: readonly Row[] }[] =
  [
    {
      name: "GitHub",
      env: {
        GITHUB_ACTIONS: "true",
        GITHUB_SERVER_URL: "https://github.com",
        GITHUB_REPOSITORY: "team/app",
        GITHUB_SHA: COMMIT,
        GITHUB_REF: "refs/heads/main",
        GITHUB_RUN_ID: "42",
        GITHUB_RUN_ATTEMPT: "2",
      },
      rows: [
        ["a commit of the longer kind", { GITHUB_SHA: LONG }, { commit: LONG }],
        ["a long name", { GITHUB_REF_NAME: "x".repeat(1024) }, { ref: "x".repeat(1024) }],
        ["no attempt", { GITHUB_RUN_ATTEMPT: "" }, { runUrl: "https://github.com/team/app/actions/runs/42" }],
        ["no run", { GITHUB_RUN_ID: "" }, { runId: null, runUrl: null }],
        ["a run that is no number", { GITHUB_RUN_ID: "42x" }, { runId: "42x", runUrl: null }],
        ["another", { GITHUB_RUN_ID: "x42" }, { runId: "x42", runUrl: null }],
        ["a number of nineteen digits", { GITHUB_RUN_ID: "1".repeat(19) }, { runUrl: null }],
        ["no repository", { GITHUB_REPOSITORY: "" }, { repo: null, runUrl: null }],
        ["no server", { GITHUB_SERVER_URL: "" }, { repo: null, runUrl: null }],
        ["no pull request", {}, { pullRequest: null }],
        [
          "a pull request by its event alone",
          {},
          {
            ref: "main",
            pullRequest: {
              number: "7",
              head: HEAD,
              base: BASE,
              headRef: "h",
              baseRef: "t",
              headRepo: "https://github.com/x/app",
            },
          },
          {
            pull_request: {
              number: 7,
              head: { sha: HEAD, ref: "h", repo: { full_name: "x/app" } },
              base: { sha: BASE, ref: "t" },
            },
          },
        ],
        [
          "a pull request by its variables and its event",
          { GITHUB_HEAD_REF: "head", GITHUB_BASE_REF: "base" },
          { pullRequest: { number: "7", headRef: "head", baseRef: "base" } },
          { pull_request: { number: "7", head: { ref: "h" }, base: { ref: "t" } } },
        ],
        [
          "a pull request by its variables alone",
          { GITHUB_HEAD_REF: "feature/refs/heads/x", GITHUB_REF: "refs/pull/9/merge" },
          {
            pullRequest: {
              number: "9",
              head: null,
              base: null,
              headRef: "feature/refs/heads/x",
              baseRef: null,
              headRepo: null,
            },
          },
        ],
        [
          "a ref of another place",
          { GITHUB_HEAD_REF: "h", GITHUB_REF: "x/refs/pull/9/merge" },
          { pullRequest: { number: null } },
        ],
        [
          "a repository of no server",
          { GITHUB_SERVER_URL: "" },
          { pullRequest: { headRepo: null } },
          { pull_request: { head: { repo: { full_name: "x/app" } } } },
        ],
      ],
    },
    {
      name: "GitLab",
      env: { GITLAB_CI: "true", CI_COMMIT_SHA: COMMIT, CI_COMMIT_REF_NAME: "name", CI_COMMIT_BRANCH: "main" },
      rows: [
        ["a branch", {}, { ref: "name", refFull: "refs/heads/main", pullRequest: null }],
        [
          "a run on plain HTTP",
          { CI_PIPELINE_URL: "http://ci.example.com/9" },
          { runUrl: "http://ci.example.com/9" },
        ],
        [
          "a merge request",
          { CI_MERGE_REQUEST_IID: "5", CI_MERGE_REQUEST_SOURCE_PROJECT_URL: "https://h/fork" },
          {
            ref: "merge-requests/5/head",
            refFull: "refs/merge-requests/5/head",
            pullRequest: { number: "5", head: COMMIT, headRepo: "https://h/fork" },
          },
        ],
      ],
    },
    {
      name: "Azure Pipelines",
      env: {
        TF_BUILD: "True",
        BUILD_BUILDID: "11",
        SYSTEM_COLLECTIONURI: "https://dev.azure.com/org/",
        SYSTEM_TEAMPROJECT: "team",
      },
      rows: [
        [
          "a run",
          {},
          { runUrl: "https://dev.azure.com/org/team/_build/results?buildId=11", pullRequest: null },
        ],
        ["no build", { BUILD_BUILDID: "" }, { runUrl: null }],
        ["no project", { SYSTEM_TEAMPROJECT: "" }, { runUrl: null }],
        ["no collection", { SYSTEM_COLLECTIONURI: "" }, { runUrl: null }],
        [
          "a pull request with two numbers",
          { SYSTEM_PULLREQUEST_PULLREQUESTID: "7", SYSTEM_PULLREQUEST_PULLREQUESTNUMBER: "3" },
          { pullRequest: { number: "3" } },
        ],
      ],
    },
    {
      name: "Bitbucket",
      env: { BITBUCKET_BUILD_NUMBER: "13", BITBUCKET_REPO_FULL_NAME: "team/app", BITBUCKET_BRANCH: "main" },
      rows: [
        ["a branch", {}, { ref: "main", refFull: "refs/heads/main", pullRequest: null }],
        ["a tag", { BITBUCKET_TAG: "v1" }, { ref: "v1", refFull: "refs/tags/v1" }],
        ["no repository", { BITBUCKET_REPO_FULL_NAME: "" }, { runUrl: null }],
        ["a build that is no number", { BITBUCKET_BUILD_NUMBER: "x" }, { runUrl: null }],
        [
          "a pull request",
          { BITBUCKET_PR_ID: "2", BITBUCKET_PR_DESTINATION_COMMIT: BASE },
          { ref: null, pullRequest: { number: "2", base: BASE, headRef: "main" } },
        ],
      ],
    },
    {
      name: "Jenkins",
      env: { JENKINS_URL: "https://ci.example.com/", BUILD_ID: "12" },
      rows: [
        ["without a build", { BUILD_ID: "" }, null],
        ["no branch", {}, { ref: null, refFull: null }],
        ["the branch of a remote", { GIT_BRANCH: "refs/remotes/origin/main" }, { ref: "main" }],
        ["a branch that is called like one", { GIT_BRANCH: "x/origin/main" }, { ref: "x/origin/main" }],
        [
          "a branch of a remote called like one",
          { GIT_BRANCH: "origin/origin/main" },
          { ref: "origin/main" },
        ],
        ["no branch, in one word", { GIT_BRANCH: "detached" }, { ref: null }],
        ["no branch, in another", { GIT_BRANCH: "origin/HEAD" }, { ref: null }],
        ["the branch of the job", { BRANCH_NAME: "job", GIT_BRANCH: "origin/git" }, { ref: "job" }],
        ["the local branch", { GIT_LOCAL_BRANCH: "local", BRANCH_NAME: "job" }, { ref: "local" }],
        ["a tag", { TAG_NAME: "v1", BRANCH_NAME: "v1" }, { refFull: "refs/tags/v1" }],
      ],
    },
    {
      name: "CircleCI",
      env: { CIRCLECI: "true", CIRCLE_SHA1: COMMIT, CIRCLE_BRANCH: "main" },
      rows: [
        ["a branch", {}, { ref: "main", pullRequest: null }],
        ["a tag", { CIRCLE_TAG: "v1" }, { ref: "v1", refFull: "refs/tags/v1" }],
        ["a number alone", { CIRCLE_PR_NUMBER: "6" }, { pullRequest: { number: "6", head: COMMIT } }],
        ["an address alone", { CIRCLE_PULL_REQUEST: "https://h/pull/5" }, { pullRequest: { number: "5" } }],
        [
          "both",
          { CIRCLE_PR_NUMBER: "6", CIRCLE_PULL_REQUEST: "https://h/pull/5" },
          { pullRequest: { number: "6" } },
        ],
        [
          "an address that goes on",
          { CIRCLE_PULL_REQUEST: "https://h/pull/5/files" },
          { pullRequest: { number: null } },
        ],
        [
          "an address without a number",
          { CIRCLE_PULL_REQUEST: "https://h/pull" },
          { pullRequest: { number: null } },
        ],
      ],
    },
    {
      name: "Buildkite",
      env: {
        BUILDKITE: "true",
        BUILDKITE_COMMIT: COMMIT,
        BUILDKITE_BRANCH: "main",
        BUILDKITE_PULL_REQUEST: "false",
        BUILDKITE_BUILD_URL: "https://b.example.com/4",
        BUILDKITE_JOB_ID: "01234567-89ab-cdef-0123-456789abcdef",
      },
      rows: [
        ["a branch", {}, { commit: COMMIT, ref: "main", pullRequest: null }],
        ["a tag", { BUILDKITE_TAG: "v1" }, { refFull: "refs/tags/v1" }],
        ["no job", { BUILDKITE_JOB_ID: "" }, { runUrl: "https://b.example.com/4" }],
        ["a longer job", { BUILDKITE_JOB_ID: "0".repeat(37) }, { runUrl: "https://b.example.com/4" }],
        [
          "a job behind something",
          { BUILDKITE_JOB_ID: `x${"0".repeat(36)}` },
          { runUrl: "https://b.example.com/4" },
        ],
        [
          "a job before something",
          { BUILDKITE_JOB_ID: `${"0".repeat(36)}x` },
          { runUrl: "https://b.example.com/4" },
        ],
        [
          "a pull request",
          {
            BUILDKITE_PULL_REQUEST: "4",
            BUILDKITE_PULL_REQUEST_BASE_BRANCH: "target",
            BUILDKITE_PULL_REQUEST_REPO: "https://h/fork",
          },
          {
            ref: null,
            pullRequest: {
              number: "4",
              head: COMMIT,
              headRef: "main",
              baseRef: "target",
              headRepo: "https://h/fork",
            },
          },
        ],
        ["a number that is none", { BUILDKITE_PULL_REQUEST: "4x" }, { pullRequest: { number: null } }],
        ["nothing said of one", { BUILDKITE_PULL_REQUEST: "" }, { ref: "main", pullRequest: null }],
      ],
    },
    {
      name: "Woodpecker",
      env: { CI: "woodpecker", CI_COMMIT_BRANCH: "main" },
      rows: [
        ["a branch", {}, { ref: "main", pullRequest: null }],
        ["a ref that is a name", { CI_COMMIT_REF: "other" }, { refFull: "refs/heads/main" }],
        ["a tag", { CI_COMMIT_TAG: "v1" }, { refFull: "refs/tags/v1" }],
        [
          "a pull request without its ref",
          { CI_COMMIT_PULL_REQUEST: "4" },
          { ref: null, pullRequest: { number: "4" } },
        ],
      ],
    },
    {
      name: "Drone",
      env: { DRONE: "true", DRONE_COMMIT_SHA: COMMIT, DRONE_BRANCH: "main" },
      rows: [
        ["a branch", {}, { ref: "main", pullRequest: null, repo: null }],
        ["a tag", { DRONE_TAG: "v1" }, { refFull: "refs/tags/v1" }],
        ["a ref", { DRONE_COMMIT_REF: "refs/pull/4/head" }, { refFull: "refs/pull/4/head" }],
        ["a repository without a page", { DRONE_GIT_HTTP_URL: "https://h/r" }, { repo: "https://h/r" }],
        [
          "a pull request",
          { DRONE_PULL_REQUEST: "4", DRONE_SOURCE_BRANCH: "from", DRONE_TARGET_BRANCH: "to" },
          { ref: null, pullRequest: { number: "4", head: COMMIT, headRef: "from", baseRef: "to" } },
        ],
      ],
    },
    {
      name: "Travis",
      env: { TRAVIS: "true", TRAVIS_BRANCH: "main", TRAVIS_PULL_REQUEST: "false" },
      rows: [
        ["a branch", {}, { ref: "main", refFull: "refs/heads/main", pullRequest: null }],
        ["a tag", { TRAVIS_TAG: "v1" }, { refFull: "refs/tags/v1" }],
      ],
    },
  ];

for (const { name, env, rows } of SYSTEMS) {
  test.each(rows.map((row) => [...row] as const))(`${name}: %s`, (_, changed, claims, event = null) => {
    const found = readCi({ ...env, ...changed }, event);
    if (claims === null) expect(found).toBeNull();
    else expect(found).toMatchObject(claims);
  });
}

describe("the file of an event", () => {
  test("is that of no other runner", () => {
    expect(eventFile({ GITHUB_EVENT_PATH: "/e.json", GITLAB_CI: "true" })).toBeNull();
  });

  test.each(["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"])("is known to %s", (name) => {
    expect(eventFile({ GITHUB_EVENT_PATH: "/e.json", [name]: "true" })).toBe("/e.json");
    expect(eventFile({ GITHUB_EVENT_PATH: "/e.json", [name]: "1" })).toBeNull();
    expect(eventFile({ [name]: "true" })).toBeNull();
  });
});
