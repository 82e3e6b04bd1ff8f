import { isMap } from "../base/decode.ts";
import type { JsonMap, JsonValue } from "../base/json.ts";
import { readCi, type CiClaims, type PullRequestClaims } from "./ci.ts";
import { mapIn } from "./ci-github.ts";
import { present } from "./ci-variables.ts";
import { normaliseRemote } from "./remote.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A run for a change that somebody proposes: what runs is not what was accepted. */
export type ProposedChange = {
  /** As the CI system names it: `pull_request`, `pull_request_target`, `merge_request_event`. */
  readonly event: string;
  /** Whether the change comes from another repository; null when the system does not say. */
  readonly isFork: boolean | null;
};

/**
 * Whether the run is for a proposed change, by the variables of every CI system that says so. `payload` is the event
 * that GitHub's variable GITHUB_EVENT_PATH names, null when it could not be read.
 */
export function proposedChange(env: Environment, payload: JsonValue): ProposedChange | null {
  const name = env["GITHUB_EVENT_NAME"] ?? "";
  const event = isMap(payload) ? payload : {};
  if (name.startsWith("pull_request")) {
    return { event: name, isFork: ofGithub(mapIn(event, "pull_request"), env) };
  }
  // It has the secrets of the repository, whatever the run that it follows was for.
  const followed = mapIn(event, "workflow_run");
  const cause = followed?.["event"];
  if (name === "workflow_run" && typeof cause !== "string") return { event: name, isFork: null };
  if (name === "workflow_run" && typeof cause === "string" && cause.startsWith("pull_request")) {
    const [head, base] = [fullName(followed, "head_repository"), fullName(followed, "repository")];
    return {
      event: `workflow_run of ${cause}`,
      isFork: head === null || base === null ? null : head !== base,
    };
  }
  const source = env["CI_PIPELINE_SOURCE"] ?? "";
  if (source === "merge_request_event" || source === "external_pull_request_event") {
    return {
      event: source,
      isFork: differs(env["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"], env["CI_MERGE_REQUEST_PROJECT_ID"]),
    };
  }
  if (env["BUILD_REASON"] === "PullRequest") {
    const fork = env["SYSTEM_PULLREQUEST_ISFORK"]?.toLowerCase();
    return { event: "PullRequest", isFork: fork === "true" ? true : fork === "false" ? false : null };
  }
  const claims = readCi(env, null);
  const change = claims?.pullRequest ?? null;
  if (claims === null || change === null) return null;
  return { event: "pull_request", isFork: ofOthers(claims, change, env) };
}

/** Where a change comes from, on the systems that know only one kind of event for it. */
function ofOthers(claims: CiClaims, change: PullRequestClaims, env: Environment): boolean | null {
  switch (claims.system) {
    // Set when the change is from a fork, and not there otherwise.
    case "jenkins":
      return present(env["CHANGE_FORK"]);
    case "circleci":
      return present(env["CIRCLE_PR_NUMBER"]);
    case "travis":
      return differs(env["TRAVIS_PULL_REQUEST_SLUG"], env["TRAVIS_REPO_SLUG"]);
    default:
      return differs(placeOf(change.headRepo), placeOf(claims.repo));
  }
}

/** A repository in one spelling, whatever way it is reached. */
function placeOf(remote: string | null): string | undefined {
  return (remote === null ? null : normaliseRemote(remote).repo) ?? undefined;
}

function ofGithub(change: JsonMap | null, env: Environment): boolean | null {
  const [head, base] = [mapIn(change, "head"), mapIn(change, "base")];
  const [from, to] = [fullName(head, "repo"), fullName(base, "repo")];
  // A fork that was deleted is null there.
  if (head !== null && head["repo"] === null) return true;
  if (from !== null && to !== null) return from !== to;
  return differs(env["GITHUB_HEAD_REPOSITORY"], env["GITHUB_REPOSITORY"]);
}

function fullName(map: JsonMap | null, name: string): string | null {
  const found = mapIn(map, name)?.["full_name"];
  return typeof found === "string" && found !== "" ? found.toLowerCase() : null;
}

function differs(a: string | undefined, b: string | undefined): boolean | null {
  if (a === undefined || a === "" || b === undefined || b === "") return null;
  return a.toLowerCase() !== b.toLowerCase();
}
