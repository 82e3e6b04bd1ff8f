import { redactRemote } from "./remote.ts";

/**
 * What the CI system claims about this build, read from its variables. Claims are kept apart from what git
 * observed: a pull-request build has a merge commit checked out that no branch holds.
 */
export type CiClaims = {
  readonly system: string;
  readonly repo: string | null;
  readonly commit: string | null;
  /** The branch or tag as the system names it, without `refs/…`. */
  readonly ref: string | null;
  readonly runUrl: string | null;
};

type Environment = Readonly<Record<string, string | undefined>>;
type Reader = (env: Environment) => Omit<CiClaims, "system">;

const githubLike: Reader = (env) => {
  const server = said(env["GITHUB_SERVER_URL"]);
  const repository = said(env["GITHUB_REPOSITORY"]);
  const located = server !== null && repository !== null;
  const run = said(env["GITHUB_RUN_ID"]);
  return {
    repo: located ? `${server}/${repository}` : null,
    commit: said(env["GITHUB_SHA"]),
    ref: said(env["GITHUB_HEAD_REF"]) ?? said(env["GITHUB_REF_NAME"]),
    runUrl: located && run !== null ? `${server}/${repository}/actions/runs/${run}` : null,
  };
};

// The order matters: Forgejo's runner also sets Gitea's variable, and both set GitHub's.
const SYSTEMS: readonly { system: string; detect: (env: Environment) => boolean; read: Reader }[] = [
  { system: "forgejo", detect: (env) => env["FORGEJO_ACTIONS"] === "true", read: githubLike },
  { system: "gitea", detect: (env) => env["GITEA_ACTIONS"] === "true", read: githubLike },
  { system: "github", detect: (env) => env["GITHUB_ACTIONS"] === "true", read: githubLike },
  {
    system: "gitlab",
    detect: (env) => env["GITLAB_CI"] === "true",
    // Never CI_REPOSITORY_URL: it holds the job's token.
    read: (env) => ({
      repo: said(env["CI_PROJECT_URL"]),
      commit: said(env["CI_COMMIT_SHA"]),
      ref: said(env["CI_COMMIT_REF_NAME"]),
      runUrl: said(env["CI_PIPELINE_URL"]),
    }),
  },
];

export function readCi(env: Environment): CiClaims | null {
  const found = SYSTEMS.find((candidate) => candidate.detect(env));
  if (found === undefined) return null;
  const { repo, runUrl, ...rest } = found.read(env);
  return { system: found.system, ...rest, repo: withoutSecret(repo), runUrl: withoutSecret(runUrl) };
}

/** Systems set variables that do not apply to nothing, and nothing is no claim. */
function said(value: string | undefined): string | null {
  return value === undefined || value === "" ? null : value;
}

/** Runners and their proxies put job tokens into these URLs, and the document is published. */
function withoutSecret(url: string | null): string | null {
  return url === null ? null : redactRemote(url);
}
