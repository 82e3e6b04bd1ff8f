import { isMap } from "../base/decode.ts";
import type { JsonValue } from "../base/json.ts";
import { isDeceptive } from "../base/printable.ts";
import { CI_SYSTEMS } from "./ci-systems.ts";
import { digits, type Environment, type RawClaims, type System } from "./ci-variables.ts";
import { redactUrl } from "./remote.ts";

/**
 * What the CI system claims about this build, read from its variables. Claims are kept apart from what git
 * observed: a pull-request build has a merge commit checked out that no branch holds.
 */
export type CiClaims = {
  readonly system: string;
  readonly repo: string | null;
  readonly commit: string | null;
  /** The branch or tag as the system names it, without `refs/…`. Never the branch that a pull request comes from. */
  readonly ref: string | null;
  readonly refFull: string | null;
  readonly pullRequest: PullRequestClaims | null;
  readonly runId: string | null;
  readonly runUrl: string | null;
};

export type PullRequestClaims = {
  readonly number: string | null;
  /** The commit that is proposed, and the one it is proposed against. */
  readonly head: string | null;
  readonly base: string | null;
  /** Short names. Anybody who may open a pull request chooses the first. */
  readonly headRef: string | null;
  readonly baseRef: string | null;
  readonly headRepo: string | null;
};

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u;
const MAX_CHARS = 1024;

/** `event` is the document that describes what started the run, on the systems that have one. */
export function readCi(env: Environment, event: JsonValue): CiClaims | null {
  for (const system of CI_SYSTEMS) if (system.detect(env)) return claimsOf(system, env, event);
  return null;
}

function claimsOf(found: System, env: Environment, event: JsonValue): CiClaims {
  const raw = found.read(env, isMap(event) ? event : null);
  const refFull = fullRef(raw);
  return {
    system: found.system,
    repo: repository(raw.repo),
    commit: commit(raw.commit),
    ref: said(raw.ref) ?? shortName(refFull),
    refFull,
    pullRequest: pullRequest(raw.pullRequest),
    runId: said(raw.runId),
    runUrl: runUrl(raw.run),
  };
}

/** Whether the system writes the event down, and where. Only the runners of GitHub's kind do. */
export function eventFile(env: Environment): string | null {
  const known = ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"].some((name) => env[name] === "true");
  return known ? said(env["GITHUB_EVENT_PATH"]) : null;
}

function fullRef({ full, branch, tag }: RawClaims): string | null {
  const [name, ofTag, ofBranch] = [said(full), said(tag), said(branch)];
  if (name?.startsWith("refs/") === true) return name;
  if (ofTag !== null) return `refs/tags/${ofTag}`;
  return ofBranch === null ? null : `refs/heads/${ofBranch}`;
}

function shortName(full: string | null): string | null {
  return full?.replace(/^refs\/(?:heads\/|tags\/)?/u, "") ?? null;
}

function pullRequest(raw: RawClaims["pullRequest"]): PullRequestClaims | null {
  if (raw === undefined || raw === null) return null;
  return {
    number: digits(raw.number),
    head: commit(raw.head),
    base: commit(raw.base),
    headRef: shortName(said(raw.headRef)),
    baseRef: shortName(said(raw.baseRef)),
    headRepo: repository(raw.headRepo),
  };
}

/** Systems set variables that do not apply to nothing, and nothing is no claim. */
function said(value: string | undefined): string | null {
  if (value === undefined || value === "" || value.length > MAX_CHARS) return null;
  return isDeceptive(value) ? null : value;
}

/** Buildkite says `HEAD` when it does not know. */
function commit(value: string | undefined): string | null {
  return value !== undefined && COMMIT.test(value) ? value : null;
}

/** Runners and their proxies put job tokens into these URLs, and the document is published. */
function repository(url: string | undefined): string | null {
  const text = said(url);
  return text === null ? null : redactUrl(text);
}

/** A web address, without user, query and fragment; `suffix` is ours and comes after. */
function runUrl(run: RawClaims["run"]): string | null {
  const url = URL.parse(said(run?.base) ?? "");
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  return `${url.protocol}//${url.host}${url.pathname}${run?.suffix ?? ""}`;
}
