import { isSet, isTrue, present, type System } from "./ci-variables.ts";

// The CI systems that build repositories which others host.

/** `origin/main` is how Jenkins names the remote-tracking branch that it checked out. */
function withoutRemote(branch: string | undefined): string | undefined {
  const name = branch?.replace(/^(?:refs\/remotes\/)?origin\//u, "");
  return name === "detached" || name === "HEAD" ? undefined : name;
}

export const JENKINS: System = {
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
};

export const CIRCLECI: System = {
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
};

export const BUILDKITE: System = {
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
};

export const WOODPECKER: System = {
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
};

export const DRONE: System = {
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
};

export const TRAVIS: System = {
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
};

export const TEAMCITY: System = {
  system: "teamcity",
  detect: isSet("TEAMCITY_VERSION"),
  read: (env) => ({
    commit: env["BUILD_VCS_NUMBER"],
    runId: env["BUILD_NUMBER"],
    run: { base: env["BUILD_URL"] },
  }),
};
