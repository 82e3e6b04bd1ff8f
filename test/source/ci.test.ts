import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../src/base/json.ts";
import { readCi, type CiClaims, type PullRequestClaims } from "../../src/source/ci.ts";

type Variables = Readonly<Record<string, string>>;
type Case = {
  readonly name: string;
  readonly env: Variables;
  readonly event?: JsonValue;
  readonly claims: CiClaims | null;
};

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const HEAD = "a".repeat(40);
const BASE = "b".repeat(40);
const SECRET = "secret-token";

const nothing: Omit<CiClaims, "system"> = {
  repo: null,
  commit: null,
  ref: null,
  refFull: null,
  pullRequest: null,
  runId: null,
  runUrl: null,
};
const noRequest: PullRequestClaims = {
  number: null,
  head: null,
  base: null,
  headRef: null,
  baseRef: null,
  headRepo: null,
};

const GITHUB: Variables = {
  GITHUB_ACTIONS: "true",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: "team/app",
  GITHUB_SHA: COMMIT,
  GITHUB_REF: "refs/heads/main",
  GITHUB_REF_NAME: "main",
  GITHUB_RUN_ID: "42",
  GITHUB_RUN_NUMBER: "7",
  GITHUB_RUN_ATTEMPT: "2",
};
const ON_MAIN = { commit: COMMIT, ref: "main", refFull: "refs/heads/main", pullRequest: null };
const GITHUB_CLAIMS: CiClaims = {
  system: "github",
  repo: "https://github.com/team/app",
  ...ON_MAIN,
  runId: "42",
  runUrl: "https://github.com/team/app/actions/runs/42/attempts/2",
};
const PULL: Variables = {
  ...GITHUB,
  GITHUB_REF: "refs/pull/7/merge",
  GITHUB_REF_NAME: "7/merge",
  GITHUB_HEAD_REF: "main",
  GITHUB_BASE_REF: "main",
};
const EVENT: JsonValue = {
  pull_request: {
    number: 7,
    head: { sha: HEAD, ref: "main", repo: { full_name: "stranger/app" } },
    base: { sha: BASE, ref: "main" },
  },
};
const GITLAB: Variables = {
  GITLAB_CI: "true",
  CI_PROJECT_URL: "https://gitlab.example.com/team/app",
  CI_COMMIT_SHA: COMMIT,
  CI_COMMIT_REF_NAME: "main",
  CI_COMMIT_BRANCH: "main",
  CI_PIPELINE_ID: "9",
  CI_PIPELINE_URL: "https://gitlab.example.com/team/app/-/pipelines/9",
  CI_REPOSITORY_URL: `https://gitlab-ci-token:${SECRET}@gitlab.example.com/team/app.git`,
};
const GITLAB_CLAIMS: CiClaims = {
  system: "gitlab",
  repo: "https://gitlab.example.com/team/app",
  ...ON_MAIN,
  runId: "9",
  runUrl: "https://gitlab.example.com/team/app/-/pipelines/9",
};
const JENKINS: Variables = {
  JENKINS_URL: "https://ci.example.com/",
  BUILD_ID: "12",
  BUILD_URL: "https://ci.example.com/job/app/12/",
  GIT_URL: `https://build:${SECRET}@git.example.com/team/app.git`,
  GIT_COMMIT: COMMIT,
  GIT_BRANCH: "origin/main",
};
const JENKINS_CLAIMS: CiClaims = {
  system: "jenkins",
  repo: "https://***@git.example.com/team/app.git",
  ...ON_MAIN,
  runId: "12",
  runUrl: "https://ci.example.com/job/app/12/",
};

const CASES: readonly Case[] = [
  { name: "no CI system", env: {}, claims: null },
  { name: "a variable that is not true", env: { GITHUB_ACTIONS: "false", CI: "true" }, claims: null },
  { name: "GitHub", env: GITHUB, claims: GITHUB_CLAIMS },
  {
    name: "case 27: a pull request on GitHub, whose branch `main` in a fork is not the ref",
    env: PULL,
    event: EVENT,
    claims: {
      ...GITHUB_CLAIMS,
      ref: "7/merge",
      refFull: "refs/pull/7/merge",
      pullRequest: {
        number: "7",
        head: HEAD,
        base: BASE,
        headRef: "main",
        baseRef: "main",
        headRepo: "https://github.com/stranger/app",
      },
    },
  },
  {
    name: "a pull request on GitHub without its event",
    env: PULL,
    claims: {
      ...GITHUB_CLAIMS,
      ref: "7/merge",
      refFull: "refs/pull/7/merge",
      pullRequest: { ...noRequest, number: "7", headRef: "main", baseRef: "main" },
    },
  },
  {
    name: "case 28: Gitea, which also says GitHub; its runs have addresses that differ by version",
    env: { ...GITHUB, GITEA_ACTIONS: "true" },
    claims: { ...GITHUB_CLAIMS, system: "gitea", runUrl: null },
  },
  {
    name: "case 28: Forgejo, which also says Gitea and GitHub",
    env: { ...GITHUB, GITEA_ACTIONS: "true", FORGEJO_ACTIONS: "true" },
    claims: {
      ...GITHUB_CLAIMS,
      system: "forgejo",
      runUrl: "https://github.com/team/app/actions/runs/7",
    },
  },
  { name: "GitLab, without the URL that holds the job's token", env: GITLAB, claims: GITLAB_CLAIMS },
  {
    name: "a tag on GitLab",
    env: { ...GITLAB, CI_COMMIT_REF_NAME: "v1", CI_COMMIT_BRANCH: "", CI_COMMIT_TAG: "v1" },
    claims: { ...GITLAB_CLAIMS, ref: "v1", refFull: "refs/tags/v1" },
  },
  {
    name: "case 29: a merged-results pipeline of GitLab",
    env: {
      ...GITLAB,
      CI_COMMIT_BRANCH: "",
      CI_MERGE_REQUEST_IID: "5",
      CI_MERGE_REQUEST_REF_PATH: "refs/merge-requests/5/merge",
      CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: HEAD,
      CI_MERGE_REQUEST_DIFF_BASE_SHA: BASE,
      CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: "main",
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main",
    },
    claims: {
      ...GITLAB_CLAIMS,
      ref: "merge-requests/5/merge",
      refFull: "refs/merge-requests/5/merge",
      pullRequest: { ...noRequest, number: "5", head: HEAD, base: BASE, headRef: "main", baseRef: "main" },
    },
  },
  {
    name: "case 29: Jenkins, without its credential and its remote's name",
    env: JENKINS,
    claims: JENKINS_CLAIMS,
  },
  {
    name: "a change of Jenkins",
    env: { ...JENKINS, BRANCH_NAME: "PR-3", CHANGE_ID: "3", CHANGE_BRANCH: "main", CHANGE_TARGET: "main" },
    claims: {
      ...JENKINS_CLAIMS,
      ref: "PR-3",
      refFull: null,
      pullRequest: { ...noRequest, number: "3", headRef: "main", baseRef: "main" },
    },
  },
  {
    name: "CircleCI",
    env: {
      CIRCLECI: "true",
      CIRCLE_REPOSITORY_URL: "git@github.com:team/app.git",
      CIRCLE_SHA1: COMMIT,
      CIRCLE_BRANCH: "main",
      CIRCLE_WORKFLOW_ID: "w",
      CIRCLE_BUILD_URL: "https://circleci.com/gh/team/app/8",
      CIRCLE_PULL_REQUEST: "https://github.com/team/app/pull/6",
    },
    claims: {
      system: "circleci",
      repo: "git@github.com:team/app.git",
      ...ON_MAIN,
      pullRequest: { ...noRequest, number: "6", head: COMMIT },
      runId: "w",
      runUrl: "https://circleci.com/gh/team/app/8",
    },
  },
  {
    name: "case 29: Buildkite, whose commit may be the word HEAD",
    env: {
      BUILDKITE: "true",
      BUILDKITE_REPO: "git@github.com:team/app.git",
      BUILDKITE_COMMIT: "HEAD",
      BUILDKITE_BRANCH: "main",
      BUILDKITE_PULL_REQUEST: "false",
      BUILDKITE_BUILD_ID: "b",
      BUILDKITE_BUILD_URL: "https://buildkite.com/team/app/builds/4",
      BUILDKITE_JOB_ID: "01234567-89ab-cdef-0123-456789abcdef",
    },
    claims: {
      system: "buildkite",
      repo: "git@github.com:team/app.git",
      ...ON_MAIN,
      commit: null,
      runId: "b",
      runUrl: "https://buildkite.com/team/app/builds/4#01234567-89ab-cdef-0123-456789abcdef",
    },
  },
  {
    name: "a pull request on Azure Pipelines",
    env: {
      TF_BUILD: "True",
      BUILD_REPOSITORY_URI: `https://org:${SECRET}@dev.azure.com/org/team/_git/app`,
      BUILD_SOURCEVERSION: COMMIT,
      BUILD_SOURCEBRANCH: "refs/pull/7/merge",
      BUILD_BUILDID: "11",
      SYSTEM_COLLECTIONURI: "https://dev.azure.com/org/",
      SYSTEM_TEAMPROJECT: "my team",
      SYSTEM_PULLREQUEST_PULLREQUESTID: "7",
      SYSTEM_PULLREQUEST_SOURCECOMMITID: HEAD,
      SYSTEM_PULLREQUEST_SOURCEBRANCH: "refs/heads/main",
      SYSTEM_PULLREQUEST_TARGETBRANCH: "refs/heads/main",
    },
    claims: {
      system: "azure",
      repo: "https://***@dev.azure.com/org/team/_git/app",
      commit: COMMIT,
      ref: "pull/7/merge",
      refFull: "refs/pull/7/merge",
      pullRequest: { ...noRequest, number: "7", head: HEAD, headRef: "main", baseRef: "main" },
      runId: "11",
      runUrl: "https://dev.azure.com/org/my%20team/_build/results?buildId=11",
    },
  },
  {
    name: "a pull request on Bitbucket",
    env: {
      BITBUCKET_BUILD_NUMBER: "13",
      BITBUCKET_GIT_HTTP_ORIGIN: "https://bitbucket.org/team/app",
      BITBUCKET_REPO_FULL_NAME: "team/app",
      BITBUCKET_COMMIT: COMMIT,
      BITBUCKET_BRANCH: "main",
      BITBUCKET_PR_ID: "2",
      BITBUCKET_PR_DESTINATION_BRANCH: "main",
      BITBUCKET_PIPELINE_UUID: "{u}",
    },
    claims: {
      system: "bitbucket",
      repo: "https://bitbucket.org/team/app",
      commit: COMMIT,
      ref: null,
      refFull: null,
      pullRequest: { ...noRequest, number: "2", head: COMMIT, headRef: "main", baseRef: "main" },
      runId: "{u}",
      runUrl: "https://bitbucket.org/team/app/pipelines/results/13",
    },
  },
  {
    name: "Drone",
    env: {
      DRONE: "true",
      CI: "true",
      DRONE_REPO_LINK: "https://git.example.com/team/app",
      DRONE_COMMIT_SHA: COMMIT,
      DRONE_COMMIT_REF: "refs/heads/main",
      DRONE_BRANCH: "main",
      DRONE_BUILD_NUMBER: "3",
      DRONE_BUILD_LINK: "https://drone.example.com/team/app/3",
    },
    claims: {
      system: "drone",
      repo: "https://git.example.com/team/app",
      ...ON_MAIN,
      runId: "3",
      runUrl: "https://drone.example.com/team/app/3",
    },
  },
  {
    name: "Woodpecker, which also sets Drone's variables",
    env: {
      CI: "woodpecker",
      DRONE: "true",
      CI_REPO_URL: "https://git.example.com/team/app",
      CI_COMMIT_SHA: COMMIT,
      CI_COMMIT_REF: "refs/pull/4/head",
      CI_COMMIT_BRANCH: "main",
      CI_COMMIT_PULL_REQUEST: "4",
      CI_COMMIT_SOURCE_BRANCH: "main",
      CI_COMMIT_TARGET_BRANCH: "main",
      CI_PIPELINE_NUMBER: "5",
      CI_PIPELINE_URL: "https://woodpecker.example.com/repos/1/pipeline/5",
    },
    claims: {
      system: "woodpecker",
      repo: "https://git.example.com/team/app",
      commit: COMMIT,
      ref: "pull/4/head",
      refFull: "refs/pull/4/head",
      pullRequest: { ...noRequest, number: "4", head: COMMIT, headRef: "main", baseRef: "main" },
      runId: "5",
      runUrl: "https://woodpecker.example.com/repos/1/pipeline/5",
    },
  },
  {
    name: "a pull request on Travis, whose TRAVIS_BRANCH is the target",
    env: {
      TRAVIS: "true",
      TRAVIS_REPO_SLUG: "team/app",
      TRAVIS_COMMIT: COMMIT,
      TRAVIS_BRANCH: "main",
      TRAVIS_PULL_REQUEST: "8",
      TRAVIS_PULL_REQUEST_SHA: HEAD,
      TRAVIS_PULL_REQUEST_BRANCH: "feature",
      TRAVIS_BUILD_ID: "1",
      TRAVIS_BUILD_WEB_URL: "https://app.travis-ci.com/github/team/app/builds/1",
    },
    claims: {
      system: "travis",
      repo: null,
      commit: COMMIT,
      ref: null,
      refFull: null,
      pullRequest: { ...noRequest, number: "8", head: HEAD, headRef: "feature", baseRef: "main" },
      runId: "1",
      runUrl: "https://app.travis-ci.com/github/team/app/builds/1",
    },
  },
  {
    name: "TeamCity",
    env: {
      TEAMCITY_VERSION: "2025.07",
      BUILD_VCS_NUMBER: COMMIT,
      BUILD_NUMBER: "77",
      BUILD_URL: `https://user:${SECRET}@tc.example.com/build/77?token=${SECRET}`,
    },
    claims: {
      system: "teamcity",
      ...nothing,
      commit: COMMIT,
      runId: "77",
      runUrl: "https://tc.example.com/build/77",
    },
  },
  {
    name: "GitHub that says nothing else",
    env: { GITHUB_ACTIONS: "true" },
    claims: { system: "github", ...nothing },
  },
  {
    name: "empty variables, which are no claims",
    env: { ...Object.fromEntries(Object.keys(GITLAB).map((name) => [name, ""])), GITLAB_CI: "true" },
    claims: { system: "gitlab", ...nothing },
  },
  {
    name: "empty variables of GitHub",
    env: { ...Object.fromEntries(Object.keys(GITHUB).map((name) => [name, ""])), GITHUB_ACTIONS: "true" },
    claims: { system: "github", ...nothing },
  },
];

describe("the claims of", () => {
  test.each(CASES)("$name", ({ env, event = null, claims }) => {
    expect(readCi(env, event)).toEqual(claims);
    expect(JSON.stringify(readCi(env, event))).not.toContain(SECRET);
  });
});
