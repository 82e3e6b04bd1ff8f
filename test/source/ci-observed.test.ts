import { expect, test } from "bun:test";
import { captureJson } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { git, HAS_GIT, makeRepository } from "./support/repository.ts";

const newFolder = scratchFolders();

const HOST = "git.example.com";
/** What a job is told of a build of `branch` at `commit` of the repository `path`. */
type Job = { readonly path: string; readonly commit: string; readonly branch: string };
type System = {
  readonly env: (job: Job) => Readonly<Record<string, string>>;
  /** Which of repository, commit and ref the system names. */
  readonly says: readonly string[];
};

const ALL = ["repo", "commit", "ref"];
const onGithub = ({ path, commit, branch }: Job): Record<string, string> => ({
  GITHUB_ACTIONS: "true",
  GITHUB_SERVER_URL: `https://${HOST}`,
  GITHUB_REPOSITORY: path,
  GITHUB_SHA: commit,
  GITHUB_REF: `refs/heads/${branch}`,
});

const SYSTEMS: Readonly<Record<string, System>> = {
  forgejo: {
    env: (job) => ({ FORGEJO_ACTIONS: "true", GITEA_ACTIONS: "true", ...onGithub(job) }),
    says: ALL,
  },
  gitea: { env: (job) => ({ GITEA_ACTIONS: "true", ...onGithub(job) }), says: ALL },
  github: { env: onGithub, says: ALL },
  gitlab: {
    env: ({ path, commit, branch }) => ({
      GITLAB_CI: "true",
      CI_PROJECT_URL: `https://${HOST}/${path}`,
      CI_COMMIT_SHA: commit,
      CI_COMMIT_BRANCH: branch,
      CI_COMMIT_REF_NAME: branch,
    }),
    says: ALL,
  },
  jenkins: {
    env: ({ path, commit, branch }) => ({
      JENKINS_URL: "https://ci.example.com/",
      BUILD_ID: "1",
      GIT_URL: `https://${HOST}/${path}.git`,
      GIT_COMMIT: commit,
      GIT_BRANCH: `origin/${branch}`,
    }),
    says: ALL,
  },
  circleci: {
    env: ({ path, commit, branch }) => ({
      CIRCLECI: "true",
      CIRCLE_REPOSITORY_URL: `git@${HOST}:${path}.git`,
      CIRCLE_SHA1: commit,
      CIRCLE_BRANCH: branch,
    }),
    says: ALL,
  },
  buildkite: {
    env: ({ path, commit, branch }) => ({
      BUILDKITE: "true",
      BUILDKITE_REPO: `git@${HOST}:${path}.git`,
      BUILDKITE_COMMIT: commit,
      BUILDKITE_BRANCH: branch,
    }),
    says: ALL,
  },
  azure: {
    env: ({ path, commit, branch }) => ({
      TF_BUILD: "True",
      BUILD_REPOSITORY_URI: `https://team@${HOST}/${path}`,
      BUILD_SOURCEVERSION: commit,
      BUILD_SOURCEBRANCH: `refs/heads/${branch}`,
    }),
    says: ALL,
  },
  bitbucket: {
    env: ({ path, commit, branch }) => ({
      BITBUCKET_BUILD_NUMBER: "1",
      BITBUCKET_GIT_HTTP_ORIGIN: `https://${HOST}/${path}`,
      BITBUCKET_COMMIT: commit,
      BITBUCKET_BRANCH: branch,
    }),
    says: ALL,
  },
  drone: {
    env: ({ path, commit, branch }) => ({
      DRONE: "true",
      DRONE_REPO_LINK: `https://${HOST}/${path}`,
      DRONE_COMMIT_SHA: commit,
      DRONE_COMMIT_REF: `refs/heads/${branch}`,
    }),
    says: ALL,
  },
  woodpecker: {
    env: ({ path, commit, branch }) => ({
      CI: "woodpecker",
      CI_REPO_URL: `https://${HOST}/${path}`,
      CI_COMMIT_SHA: commit,
      CI_COMMIT_REF: `refs/heads/${branch}`,
    }),
    says: ALL,
  },
  travis: {
    env: ({ commit, branch }) => ({ TRAVIS: "true", TRAVIS_COMMIT: commit, TRAVIS_BRANCH: branch }),
    says: ["commit", "ref"],
  },
  teamcity: {
    env: ({ commit }) => ({ TEAMCITY_VERSION: "2026.1", BUILD_VCS_NUMBER: commit }),
    says: ["commit"],
  },
};

for (const [system, { env, says }] of Object.entries(SYSTEMS)) {
  test.skipIf(!HAS_GIT)(`${system}: what it claims stands beside what git observed`, async () => {
    const root = makeRepository(newFolder(), { remote: `https://${HOST}/team/app.git` });
    const commit = git(root, "rev-parse", "HEAD");
    const same = env({ path: "team/app", commit, branch: "main" });
    const { document: agreed } = await captureJson(root, [], { env: same });
    expect(agreed.ci).toMatchObject({ system, commit, mismatch: [] });
    const otherCommit = "1".repeat(40);
    const other = env({ path: "other/app", commit: otherCommit, branch: "other" });
    const { document } = await captureJson(root, [], { env: other });
    expect(document.ci).toMatchObject({ system, commit: otherCommit, mismatch: says });
    expect(document.source_fields).toEqual(agreed.source_fields);
    expect(Object.values(document.fields).some(({ source }) => source === "ci")).toBe(false);
    expect(document.warnings.map(({ code }) => code)).toEqual(["ci_mismatch"]);
  });
}
