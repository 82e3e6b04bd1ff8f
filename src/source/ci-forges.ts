import { githubLike } from "./ci-github.ts";
import { digits, isSet, isTrue, present, type System } from "./ci-variables.ts";

// The CI systems of those who host repositories.

export const FORGEJO: System = {
  system: "forgejo",
  detect: isTrue("FORGEJO_ACTIONS"),
  read: githubLike((env) => digits(env["GITHUB_RUN_NUMBER"])),
};

// Whether a run's address has its id or its number changed between versions: a wrong address is worse than none.
export const GITEA: System = {
  system: "gitea",
  detect: isTrue("GITEA_ACTIONS"),
  read: githubLike(() => null),
};

export const GITHUB: System = {
  system: "github",
  detect: isTrue("GITHUB_ACTIONS"),
  read: githubLike((env) => {
    const [run, attempt] = [digits(env["GITHUB_RUN_ID"]), digits(env["GITHUB_RUN_ATTEMPT"])];
    return run === null || attempt === null ? run : `${run}/attempts/${attempt}`;
  }),
};

export const GITLAB: System = {
  system: "gitlab",
  detect: isTrue("GITLAB_CI"),
  // Never CI_REPOSITORY_URL: it holds the job's token.
  read: (env) => {
    const number = env["CI_MERGE_REQUEST_IID"];
    const ofRequest = present(number);
    const path = env["CI_MERGE_REQUEST_REF_PATH"];
    const merged = env["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"];
    return {
      repo: env["CI_PROJECT_URL"],
      commit: env["CI_COMMIT_SHA"],
      ...(ofRequest
        ? { full: present(path) ? path : `refs/merge-requests/${number}/head` }
        : {
            ref: env["CI_COMMIT_REF_NAME"],
            tag: env["CI_COMMIT_TAG"],
            branch: env["CI_COMMIT_BRANCH"],
          }),
      pullRequest: ofRequest
        ? {
            number,
            head: present(merged) ? merged : env["CI_COMMIT_SHA"],
            base: env["CI_MERGE_REQUEST_DIFF_BASE_SHA"],
            headRef: env["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"],
            baseRef: env["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"],
            headRepo: env["CI_MERGE_REQUEST_SOURCE_PROJECT_URL"],
          }
        : null,
      runId: env["CI_PIPELINE_ID"],
      run: { base: env["CI_PIPELINE_URL"] },
    };
  },
};

export const AZURE: System = {
  system: "azure",
  detect: isSet("TF_BUILD"),
  read: (env) => {
    const number = env["SYSTEM_PULLREQUEST_PULLREQUESTNUMBER"];
    const id = env["SYSTEM_PULLREQUEST_PULLREQUESTID"];
    const build = digits(env["BUILD_BUILDID"]);
    const [collection, project] = [env["SYSTEM_COLLECTIONURI"], env["SYSTEM_TEAMPROJECT"]];
    const located = build !== null && present(collection) && present(project);
    return {
      repo: env["BUILD_REPOSITORY_URI"],
      commit: env["BUILD_SOURCEVERSION"],
      full: env["BUILD_SOURCEBRANCH"],
      pullRequest: present(id)
        ? {
            number: present(number) ? number : id,
            head: env["SYSTEM_PULLREQUEST_SOURCECOMMITID"],
            headRef: env["SYSTEM_PULLREQUEST_SOURCEBRANCH"],
            baseRef: env["SYSTEM_PULLREQUEST_TARGETBRANCH"],
          }
        : null,
      runId: env["BUILD_BUILDID"],
      run: located
        ? {
            base: `${collection}${encodeURIComponent(project ?? "")}/_build/results`,
            suffix: `?buildId=${build}`,
          }
        : undefined,
    };
  },
};

export const BITBUCKET: System = {
  system: "bitbucket",
  detect: isSet("BITBUCKET_BUILD_NUMBER"),
  read: (env) => {
    const change = present(env["BITBUCKET_PR_ID"]);
    const [name, number] = [env["BITBUCKET_REPO_FULL_NAME"], digits(env["BITBUCKET_BUILD_NUMBER"])];
    const located = present(name) && number !== null;
    return {
      repo: env["BITBUCKET_GIT_HTTP_ORIGIN"],
      commit: env["BITBUCKET_COMMIT"],
      tag: env["BITBUCKET_TAG"],
      ...(change ? {} : { branch: env["BITBUCKET_BRANCH"] }),
      pullRequest: change
        ? {
            number: env["BITBUCKET_PR_ID"],
            head: env["BITBUCKET_COMMIT"],
            base: env["BITBUCKET_PR_DESTINATION_COMMIT"],
            headRef: env["BITBUCKET_BRANCH"],
            baseRef: env["BITBUCKET_PR_DESTINATION_BRANCH"],
          }
        : null,
      runId: env["BITBUCKET_PIPELINE_UUID"],
      run: located ? { base: `https://bitbucket.org/${name}/pipelines/results/${number}` } : undefined,
    };
  },
};
