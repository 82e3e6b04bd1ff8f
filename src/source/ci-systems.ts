import { FORGEJO, GITEA, GITHUB, GITLAB, AZURE, BITBUCKET } from "./ci-forges.ts";
import { JENKINS, CIRCLECI, BUILDKITE, WOODPECKER, DRONE, TRAVIS, TEAMCITY } from "./ci-servers.ts";
import type { System } from "./ci-variables.ts";

/**
 * The systems in the order in which they are looked for: Forgejo's runner also sets Gitea's variable, and both set
 * GitHub's; Woodpecker sets Drone's for old plugins. For a pull request the branch that it comes from is never the
 * ref: whoever opens one from a fork may have called that branch `main`.
 */
export const CI_SYSTEMS: readonly System[] = [
  FORGEJO,
  GITEA,
  GITHUB,
  GITLAB,
  JENKINS,
  CIRCLECI,
  BUILDKITE,
  AZURE,
  BITBUCKET,
  WOODPECKER,
  DRONE,
  TRAVIS,
  TEAMCITY,
];
