import { expect, test } from "bun:test";
import { readCi, type CiClaims } from "../../src/source/ci.ts";

type Case = {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly claims: CiClaims | null;
};

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const GITHUB = {
  GITHUB_ACTIONS: "true",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: "team/app",
  GITHUB_SHA: COMMIT,
  GITHUB_REF_NAME: "main",
  GITHUB_RUN_ID: "42",
};
const GITHUB_CLAIMS: CiClaims = {
  system: "github",
  repo: "https://github.com/team/app",
  commit: COMMIT,
  ref: "main",
  runUrl: "https://github.com/team/app/actions/runs/42",
};
const GITLAB = {
  GITLAB_CI: "true",
  CI_PROJECT_URL: "https://gitlab.example.com/team/app",
  CI_COMMIT_SHA: COMMIT,
  CI_COMMIT_REF_NAME: "v1",
  CI_PIPELINE_URL: "https://gitlab.example.com/team/app/-/pipelines/9",
  CI_REPOSITORY_URL: "https://gitlab-ci-token:secret-token@gitlab.example.com/team/app.git",
};
const nobody: Omit<CiClaims, "system"> = { repo: null, commit: null, ref: null, runUrl: null };

const CASES: readonly Case[] = [
  { name: "no CI system", env: {}, claims: null },
  { name: "a variable that is not true", env: { GITHUB_ACTIONS: "false", CI: "true" }, claims: null },
  { name: "GitHub", env: GITHUB, claims: GITHUB_CLAIMS },
  {
    name: "a pull request on GitHub, by its own branch",
    env: { ...GITHUB, GITHUB_REF_NAME: "7/merge", GITHUB_HEAD_REF: "feature" },
    claims: { ...GITHUB_CLAIMS, ref: "feature" },
  },
  {
    name: "Gitea, which also says GitHub",
    env: { ...GITHUB, GITEA_ACTIONS: "true" },
    claims: { ...GITHUB_CLAIMS, system: "gitea" },
  },
  {
    name: "Forgejo, which also says Gitea and GitHub",
    env: { ...GITHUB, GITEA_ACTIONS: "true", FORGEJO_ACTIONS: "true" },
    claims: { ...GITHUB_CLAIMS, system: "forgejo" },
  },
  {
    name: "GitLab, without the URL that holds the job's token",
    env: GITLAB,
    claims: {
      system: "gitlab",
      repo: "https://gitlab.example.com/team/app",
      commit: COMMIT,
      ref: "v1",
      runUrl: "https://gitlab.example.com/team/app/-/pipelines/9",
    },
  },
  {
    name: "GitHub that says nothing else",
    env: { GITHUB_ACTIONS: "true" },
    claims: { system: "github", ...nobody },
  },
  {
    name: "empty variables, which are no claims",
    env: { ...Object.fromEntries(Object.keys(GITLAB).map((name) => [name, ""])), GITLAB_CI: "true" },
    claims: { system: "gitlab", ...nobody },
  },
  {
    name: "empty variables of GitHub",
    env: { ...Object.fromEntries(Object.keys(GITHUB).map((name) => [name, ""])), GITHUB_ACTIONS: "true" },
    claims: { system: "github", ...nobody },
  },
];

for (const { name, env, claims } of CASES) {
  test(`the claims of ${name}`, () => {
    expect(readCi(env)).toEqual(claims);
    expect(JSON.stringify(readCi(env))).not.toContain("secret-token");
  });
}
