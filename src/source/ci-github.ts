import { isMap } from "../base/decode.ts";
import type { JsonMap } from "../base/json.ts";
import { present, type Environment, type RawPullRequest, type System } from "./ci-variables.ts";

/** GitHub and those that speak its dialect. `run` is the part of a run's address that follows the repository. */
export function githubLike(run: (env: Environment) => string | null): System["read"] {
  return (env, event) => {
    const [server, repository] = [env["GITHUB_SERVER_URL"], env["GITHUB_REPOSITORY"]];
    const repo = present(server) && present(repository) ? `${server}/${repository}` : undefined;
    const path = run(env);
    return {
      repo,
      commit: env["GITHUB_SHA"],
      ref: env["GITHUB_REF_NAME"],
      full: env["GITHUB_REF"],
      pullRequest: githubPullRequest(env, event),
      runId: env["GITHUB_RUN_ID"],
      run: repo === undefined || path === null ? undefined : { base: `${repo}/actions/runs/${path}` },
    };
  };
}

function githubPullRequest(env: Environment, event: JsonMap | null): RawPullRequest | null {
  const found = mapIn(event, "pull_request");
  if (found === null && !present(env["GITHUB_HEAD_REF"])) return null;
  const [head, base] = [mapIn(found, "head"), mapIn(found, "base")];
  const name = textIn(mapIn(head, "repo"), "full_name");
  const server = env["GITHUB_SERVER_URL"];
  return {
    number: textIn(found, "number") ?? /^refs\/pull\/(\d+)\//u.exec(env["GITHUB_REF"] ?? "")?.[1],
    head: textIn(head, "sha"),
    base: textIn(base, "sha"),
    headRef: present(env["GITHUB_HEAD_REF"]) ? env["GITHUB_HEAD_REF"] : textIn(head, "ref"),
    baseRef: present(env["GITHUB_BASE_REF"]) ? env["GITHUB_BASE_REF"] : textIn(base, "ref"),
    headRepo: name === undefined || !present(server) ? undefined : `${server}/${name}`,
  };
}

/** A member that is an object, or null. */
export function mapIn(map: JsonMap | null, name: string): JsonMap | null {
  const value = map?.[name];
  return isMap(value) ? value : null;
}

function textIn(map: JsonMap | null, name: string): string | undefined {
  const value = map?.[name];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
}
