import { githubLike } from "./ci-github.ts";
import { digits, isSet, isTrue, present, type System } from "./ci-variables.ts";

/** `origin/main` is how Jenkins names the remote-tracking branch that it checked out. */
function withoutRemote(branch: string | undefined): string | undefined {
  const name = branch?.replace(/^(?:refs\/remotes\/)?origin\//u, "");
  return name === "detached" || name === "HEAD" ? undefined : name;
}

/**
 * The systems in the order in which they are looked for: Forgejo's runner also sets Gitea's variable, and both set
 * GitHub's; Woodpecker sets Drone's for old plugins. For a pull request the branch that it comes from is never the
 * ref: whoever opens one from a fork may have called that branch `main`.
 */
export const CI_SYSTEMS: readonly System[] = [
  {
    system: "forgejo",
    detect: isTrue("FORGEJO_ACTIONS"),
    read: githubLike((env) => digits(env["GITHUB_RUN_NUMBER"])),
  },
  // Whether a run's address has its id or its number changed between versions: a wrong address is worse than none.
  { system: "gitea", detect: isTrue("GITEA_ACTIONS"), read: githubLike(() => null) },
  {
    system: "github",
    detect: isTrue("GITHUB_ACTIONS"),
    read: githubLike((env) => {
      const [run, attempt] = [digits(env["GITHUB_RUN_ID"]), digits(env["GITHUB_RUN_ATTEMPT"])];
      return run === null || attempt === null ? run : `${run}/attempts/${attempt}`;
    }),
  },
  {
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
  },
  {
    system: "jenkins",
    detect: isSet("JENKINS_URL", "BUILD_ID"),
    read: (env) => {
      const change = present(env["CHANGE_ID"]);
      const local = env["GIT_LOCAL_BRANCH"];
      const named = present(local) ? local : env["BRANCH_NAME"];
      const branch = present(named) ? named : withoutRemote(env["GIT_BRANCH"]);
      return {
        repo: env["GIT_URL"],
        commit: env["GIT_COMMIT"],
        tag: env["TAG_NAME"],
        ...(change ? { ref: env["BRANCH_NAME"] } : { branch }),
        pullRequest: change
          ? { number: env["CHANGE_ID"], headRef: env["CHANGE_BRANCH"], baseRef: env["CHANGE_TARGET"] }
          : null,
        runId: env["BUILD_ID"],
        run: { base: env["BUILD_URL"] },
      };
    },
  },
  {
    system: "circleci",
    detect: isTrue("CIRCLECI"),
    read: (env) => {
      const address = env["CIRCLE_PULL_REQUEST"];
      const number = env["CIRCLE_PR_NUMBER"];
      return {
        repo: env["CIRCLE_REPOSITORY_URL"],
        commit: env["CIRCLE_SHA1"],
        branch: env["CIRCLE_BRANCH"],
        tag: env["CIRCLE_TAG"],
        pullRequest:
          present(address) || present(number)
            ? {
                number: present(number) ? number : /\/(\d+)$/u.exec(address ?? "")?.[1],
                head: env["CIRCLE_SHA1"],
              }
            : null,
        runId: env["CIRCLE_WORKFLOW_ID"],
        run: { base: env["CIRCLE_BUILD_URL"] },
      };
    },
  },
  {
    system: "buildkite",
    detect: isTrue("BUILDKITE"),
    read: (env) => {
      const change = present(env["BUILDKITE_PULL_REQUEST"]);
      const job = /^[0-9a-f-]{36}$/u.test(env["BUILDKITE_JOB_ID"] ?? "") ? `#${env["BUILDKITE_JOB_ID"]}` : "";
      return {
        repo: env["BUILDKITE_REPO"],
        commit: env["BUILDKITE_COMMIT"],
        tag: env["BUILDKITE_TAG"],
        ...(change ? {} : { branch: env["BUILDKITE_BRANCH"] }),
        pullRequest: change
          ? {
              number: env["BUILDKITE_PULL_REQUEST"],
              head: env["BUILDKITE_COMMIT"],
              headRef: env["BUILDKITE_BRANCH"],
              baseRef: env["BUILDKITE_PULL_REQUEST_BASE_BRANCH"],
              headRepo: env["BUILDKITE_PULL_REQUEST_REPO"],
            }
          : null,
        runId: env["BUILDKITE_BUILD_ID"],
        run: { base: env["BUILDKITE_BUILD_URL"], suffix: job },
      };
    },
  },
  {
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
  },
  {
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
  },
  {
    system: "woodpecker",
    detect: (env) => env["CI"] === "woodpecker",
    read: (env) => ({
      repo: env["CI_REPO_URL"],
      commit: env["CI_COMMIT_SHA"],
      full: env["CI_COMMIT_REF"],
      tag: env["CI_COMMIT_TAG"],
      ...(present(env["CI_COMMIT_PULL_REQUEST"]) ? {} : { branch: env["CI_COMMIT_BRANCH"] }),
      pullRequest: present(env["CI_COMMIT_PULL_REQUEST"])
        ? {
            number: env["CI_COMMIT_PULL_REQUEST"],
            head: env["CI_COMMIT_SHA"],
            headRef: env["CI_COMMIT_SOURCE_BRANCH"],
            baseRef: env["CI_COMMIT_TARGET_BRANCH"],
          }
        : null,
      runId: env["CI_PIPELINE_NUMBER"],
      run: { base: env["CI_PIPELINE_URL"] },
    }),
  },
  {
    system: "drone",
    detect: isTrue("DRONE"),
    read: (env) => ({
      repo: present(env["DRONE_REPO_LINK"]) ? env["DRONE_REPO_LINK"] : env["DRONE_GIT_HTTP_URL"],
      commit: env["DRONE_COMMIT_SHA"],
      full: env["DRONE_COMMIT_REF"],
      tag: env["DRONE_TAG"],
      ...(present(env["DRONE_PULL_REQUEST"]) ? {} : { branch: env["DRONE_BRANCH"] }),
      pullRequest: present(env["DRONE_PULL_REQUEST"])
        ? {
            number: env["DRONE_PULL_REQUEST"],
            head: env["DRONE_COMMIT_SHA"],
            headRef: env["DRONE_SOURCE_BRANCH"],
            baseRef: env["DRONE_TARGET_BRANCH"],
          }
        : null,
      runId: env["DRONE_BUILD_NUMBER"],
      run: { base: env["DRONE_BUILD_LINK"] },
    }),
  },
  {
    system: "travis",
    detect: isTrue("TRAVIS"),
    // TRAVIS_REPO_SLUG names no host, and Travis builds from several.
    read: (env) => {
      const change = present(env["TRAVIS_PULL_REQUEST"]);
      return {
        commit: env["TRAVIS_COMMIT"],
        tag: env["TRAVIS_TAG"],
        ...(change ? {} : { branch: env["TRAVIS_BRANCH"] }),
        pullRequest: change
          ? {
              number: env["TRAVIS_PULL_REQUEST"],
              head: env["TRAVIS_PULL_REQUEST_SHA"],
              headRef: env["TRAVIS_PULL_REQUEST_BRANCH"],
              baseRef: env["TRAVIS_BRANCH"],
            }
          : null,
        runId: env["TRAVIS_BUILD_ID"],
        run: { base: env["TRAVIS_BUILD_WEB_URL"] },
      };
    },
  },
  {
    system: "teamcity",
    detect: isSet("TEAMCITY_VERSION"),
    read: (env) => ({
      commit: env["BUILD_VCS_NUMBER"],
      runId: env["BUILD_NUMBER"],
      run: { base: env["BUILD_URL"] },
    }),
  },
];
