import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/printable.ts";
import { hasProblems } from "./api-document.ts";
import { authenticate } from "./authentication.ts";
import { DenialBudget } from "./denial-budget.ts";
import { recordDenial, type By } from "./events.ts";
import { rfc3339Micros } from "./instant.ts";
import { RateLimit } from "./rate-limit.ts";
import { ROUTES } from "./routes.ts";
import { Router, type Deps } from "./router.ts";
import { allows } from "./scopes.ts";
import { actorOf, type TokenRecord } from "./token.ts";
import { findToken } from "./tokens.ts";
import { readRevision } from "./view-cache.ts";
import { SECURITY_HEADERS, WireRefusal } from "./wire.ts";

const ROUTER: Router = new Router(ROUTES);

/** Where a handler tells what happened. Neither is given a token, a header or a query. */
export type Log = {
  /** One JSON line for each request; null when nobody reads them. */
  readonly request: ((line: string) => void) | null;
  /** What went wrong inside; the client is told the request's id alone. */
  readonly fault: (text: string) => void;
};

/** What is known of a request while it is being answered. */
type Progress = { by: By; action: string; subject: string; route: string };

/** Requests of one token in a second, and at once; null is as many as come. */
export type TokenRate = { readonly perSecond: number; readonly burst: number } | null;

/** Tokens that are guessed or forgotten; far more than a misconfigured client sends between two looks at its log. */
const STRANGER_RATE = { perSecond: 5, burst: 100 };

/** The limits that one server keeps in its memory. */
type Limits = {
  readonly denials: DenialBudget;
  readonly strangers: RateLimit;
  readonly tokens: RateLimit | null;
};

/** `address` is the machine that asks, "" when it is not known. */
export type Handler = (request: Request, address: string) => Promise<Response>;

/** Request to response: routing, authentication, the handler, headers, records. Never rejects, never leaks. */
export function requestHandler(deps: Deps, log: Log, rate: TokenRate = null): Handler {
  const limits: Limits = {
    denials: new DenialBudget(),
    strangers: new RateLimit(STRANGER_RATE.perSecond, STRANGER_RATE.burst),
    tokens: rate === null ? null : new RateLimit(rate.perSecond, rate.burst),
  };

  return async (request, address) => {
    const started = deps.now();
    const begun = performance.now();
    const requestId = deps.newId();
    const { path, query } = splitUrl(request.url);
    const at = rfc3339Micros(started);
    const progress: Progress = {
      by: { actor: "anonymous", env: null, at, requestId },
      action: "request",
      subject: printable(path, 200),
      route: "none",
    };
    const fault = (error: unknown): void => log.fault(`request ${requestId} failed: ${describe(error)}`);
    let response: Response;
    deps.metrics.begin();
    try {
      if (deps.metrics.inFlight > LIMITS.requestsInFlight) {
        throw new WireRefusal("unavailable", "too many requests at once", { "retry-after": "1" });
      }
      response = await answer(request, address, path, query, progress, deps, limits);
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.status >= 500) fault(error);
      if (isDenial(refusal) || refusal.code === "rate_limited") deps.metrics.deny(refusal.code);
      if (isDenial(refusal)) await deny(refusal, progress, limits.denials, deps).catch(fault);
      response = hasProblems(path) ? refusal.toProblem(requestId) : refusal.toResponse();
    }
    const finished = await finish(request, response, requestId);
    deps.metrics.end(progress.route, finished.status, (performance.now() - begun) / 1_000);
    log.request?.(
      JSON.stringify({
        at,
        request_id: requestId,
        method: request.method,
        path: printable(path, 200),
        status: finished.status,
        ms: deps.now().getTime() - started.getTime(),
        actor: progress.by.actor,
        env: progress.by.env,
      }),
    );
    return finished;
  };
}

async function answer(
  request: Request,
  address: string,
  path: string,
  query: URLSearchParams,
  progress: Progress,
  deps: Deps,
  { strangers, tokens }: Limits,
): Promise<Response> {
  const routed = ROUTER.find(request.method, path);
  if (routed.found === "nothing") throw new WireRefusal("not_found", "there is nothing at this path");
  if (routed.found === "methods") {
    const allow = routed.allow.join(", ");
    throw new WireRefusal("method_not_allowed", `this path takes ${allow}`, { allow });
  }
  const { route, params } = routed;
  progress.route = `${route.method} ${route.path}`;
  if (route.access === "open") return route.answer(deps);
  progress.action = route.action;
  const now = deps.now().getTime();
  const revision = await readRevision(deps.database);
  const find = (id: string): Promise<TokenRecord | null> =>
    deps.tokens.at(revision, id, () => findToken(deps.database, id));
  const caller = await authenticate(request.headers, route.takesApiKey === true, find, deps.now());
  if (!caller.ok) {
    // Whoever has a right token is never kept out by others behind the same address.
    refuseTooMany(strangers, address, now);
    strangers.take(address, now);
    throw new WireRefusal("unauthorized", `unauthorized: ${caller.reason}`, { "www-authenticate": "Bearer" });
  }
  const { token } = caller;
  progress.by = { ...progress.by, actor: actorOf(token.id), env: token.env };
  if (tokens !== null) {
    refuseTooMany(tokens, token.id, now);
    tokens.take(token.id, now);
  }
  if (!allows(token.scopes, route.access)) {
    throw new WireRefusal("forbidden", `forbidden: the token lacks the scope ${route.access}`);
  }
  return route.answer(
    {
      request,
      params,
      query,
      by: progress.by,
      env: token.env,
      scopes: token.scopes,
      bounds: token,
      revision,
    },
    deps,
  );
}

function refuseTooMany(limit: RateLimit, caller: string, now: number): void {
  const wait = limit.waitOf(caller, now);
  if (wait > 0) throw new WireRefusal("rate_limited", "too many requests", { "retry-after": String(wait) });
}

/** Cut by hand: `new URL` would resolve dot segments, and what was asked for would no longer be seen. */
function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const found = /^[a-z]+:\/\/[^/?#]*([^?#]*)(?:\?([^#]*))?/iu.exec(url);
  return { path: found?.[1] ?? "", query: new URLSearchParams(found?.[2] ?? "") };
}

function asRefusal(error: unknown): WireRefusal {
  if (error instanceof WireRefusal) return error;
  if (error instanceof Failure && error.code === "storage_failed") {
    return new WireRefusal("unavailable", "the database takes no write", { "retry-after": "5" });
  }
  // The sender went away; nobody will read this, and nothing is wrong here.
  if (error instanceof Error && error.name === "AbortError") {
    return new WireRefusal("upload_aborted", "the connection was closed before the body was complete");
  }
  return new WireRefusal("internal_error", "internal error");
}

const DENIALS: ReadonlySet<string> = new Set([
  "unauthorized",
  "forbidden",
  "version_conflict",
  "older_build",
  "held",
  "vetoed",
  "frozen",
]);

/** Somebody was kept from something: who has no right to it, or whose bytes would replace published ones. */
function isDenial(refusal: WireRefusal): boolean {
  return DENIALS.has(refusal.code);
}

async function deny(
  refusal: WireRefusal,
  { by, action, subject }: Progress,
  strangers: DenialBudget,
  deps: Deps,
): Promise<void> {
  let reason = refusal.message;
  if (by.env === null) {
    const uncounted = strangers.admit(deps.now().getTime());
    if (uncounted === null) return;
    if (uncounted > 0) reason += ` (${uncounted} refusals before it were not recorded)`;
  }
  await recordDenial(deps.database, by, { action, subject, reason });
}

async function finish(request: Request, response: Response, requestId: string): Promise<Response> {
  const { headers } = response;
  for (const [name, value] of SECURITY) headers.set(name, value);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("x-request-id", requestId);
  if (request.method !== "HEAD") return response;
  if (!headers.has("content-length")) {
    headers.set("content-length", String((await response.arrayBuffer()).byteLength));
  }
  return new Response(null, { status: response.status, headers });
}

const SECURITY = Object.entries(SECURITY_HEADERS);

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
