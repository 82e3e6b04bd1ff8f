import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/printable.ts";
import { hasProblems } from "./api/api-document.ts";
import { authenticate } from "./tokens/authentication.ts";
import { DenialBudget } from "./http/denial-budget.ts";
import { recordDenial, type By } from "./events/events.ts";
import { rfc3339Micros } from "./http/instant.ts";
import type { Viewer } from "./page/frame.ts";
import { isSecure, seeOther, SIGN_IN } from "./page/sign-in-routes.ts";
import { sessionToken } from "./page/session.ts";
import { viewerOf } from "./page/viewer.ts";
import { RateLimit } from "./http/rate-limit.ts";
import { asRefusal, isDenial } from "./http/refusals.ts";
import { ROUTES } from "./routes.ts";
import { Router, type Deps, type Route } from "./router.ts";
import { allows } from "./tokens/scopes.ts";
import { actorOf } from "./tokens/token.ts";
import { Revision } from "./storage/view-cache.ts";
import { protect, WireRefusal } from "./http/wire.ts";

const ROUTER: Router = new Router(ROUTES);

/** Where a handler tells what happened. Neither is given a token, a header or a query. */
export type Log = {
  /** One JSON line for each request; null when nobody reads them. */
  readonly request: ((line: string) => void) | null;
  /** What went wrong inside; the client is told the request's id alone. */
  readonly fault: (text: string) => void;
};

/** What is known of a request while it is being answered. */
type Progress = {
  by: By;
  action: string;
  subject: string;
  route: string;
  refused: NonNullable<Route["refused"]>;
  viewer: Viewer | null;
};

/** Requests of one token in a second, and at once; null is as many as come. */
export type TokenRate = { readonly perSecond: number; readonly burst: number } | null;

/** Tokens that are guessed or forgotten; far more than a misconfigured client sends between two looks at its log. */
const STRANGER_RATE = { perSecond: 5, burst: 100 };

/** What one server keeps in its memory of the requests before. */
type Memory = {
  readonly revision: Revision;
  readonly denials: DenialBudget;
  readonly strangers: RateLimit;
  readonly tokens: RateLimit | null;
};

/** `address` is the machine that asks, "" when it is not known; it is asked for while the request is under way. */
export type Handler = (request: Request, address: () => string) => Promise<Response>;

/** Request to response: routing, authentication, the handler, headers, records. Never rejects, never leaks. */
export function requestHandler(deps: Deps, log: Log, rate: TokenRate = null): Handler {
  const memory: Memory = {
    revision: new Revision(deps.database),
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
      subject: path,
      route: "none",
      refused: (refusal) => (hasProblems(path) ? refusal.toProblem(requestId) : refusal.toResponse()),
      viewer: null,
    };
    const fault = (error: unknown): void => log.fault(`request ${requestId} failed: ${describe(error)}`);
    let response: Response;
    deps.metrics.begin();
    try {
      if (deps.metrics.inFlight > LIMITS.requestsInFlight) {
        throw new WireRefusal("unavailable", "too many requests at once", { "retry-after": "1" });
      }
      response = await answer(request, path, query, progress, deps, memory);
    } catch (error) {
      const refusal = limited(asRefusal(error), memory.strangers, address, started.getTime());
      if (refusal.status >= 500) fault(error);
      if (isDenial(refusal) || refusal.code === "rate_limited") deps.metrics.deny(refusal.code);
      if (isDenial(refusal)) await deny(refusal, progress, memory.denials, deps).catch(fault);
      response = progress.refused(refusal, request, progress.viewer);
    }
    protect(response.headers);
    response.headers.set("x-request-id", requestId);
    const finished = request.method === "HEAD" ? await headOf(response) : response;
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
  path: string,
  query: URLSearchParams,
  progress: Progress,
  deps: Deps,
  memory: Memory,
): Promise<Response> {
  if (namesNoServer(request)) throw new WireRefusal("invalid_field", "the Host header names no server");
  const routed = ROUTER.find(request.method, path);
  if (routed.found === "nothing") throw new WireRefusal("not_found", "there is nothing at this path");
  if (routed.found === "methods") {
    const allow = routed.allow.join(", ");
    throw new WireRefusal("method_not_allowed", `this path takes ${allow}`, { allow });
  }
  const { route, params } = routed;
  progress.route = `${route.method} ${route.path}`;
  if (route.refused !== undefined) progress.refused = route.refused;
  if (route.access === "open") return route.answer(deps, request);
  progress.action = route.action;
  // A stranger at a page has not been kept from anything yet.
  if (route.access === "page" && sessionToken(request.headers.get("cookie"), isSecure(request)) === null) {
    return seeOther(`${SIGN_IN}?to=${encodeURIComponent(path)}`);
  }
  const revision = await memory.revision.now();
  const takesApiKey = route.access !== "page" && route.takesApiKey === true;
  const caller = await authenticate(request, takesApiKey, revision, deps);
  if (!caller.ok) {
    throw new WireRefusal("unauthorized", `unauthorized: ${caller.reason}`, { "www-authenticate": "Bearer" });
  }
  const { token } = caller;
  progress.by = { ...progress.by, actor: actorOf(token.id), env: token.env };
  if (memory.tokens !== null) {
    const now = deps.now().getTime();
    refuseTooMany(memory.tokens, token.id, now);
    memory.tokens.take(token.id, now);
  }
  if (route.access === "page") {
    progress.viewer = await viewerOf(token, request, deps.database);
    return route.answer({ request, params, query, viewer: progress.viewer }, deps);
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

/** Whoever has a right token is never kept out by others behind the same address. */
function limited(
  refusal: WireRefusal,
  strangers: RateLimit,
  address: () => string,
  now: number,
): WireRefusal {
  if (refusal.code !== "unauthorized") return refusal;
  const stranger = address();
  const wait = strangers.waitOf(stranger, now);
  strangers.take(stranger, now);
  return wait > 0 ? tooMany(wait) : refusal;
}

function tooMany(seconds: number): WireRefusal {
  return new WireRefusal("rate_limited", "too many requests", { "retry-after": String(seconds) });
}

function refuseTooMany(limit: RateLimit, caller: string, now: number): void {
  const wait = limit.waitOf(caller, now);
  if (wait > 0) throw tooMany(wait);
}

/** Most requests have none, and nobody writes to it. */
const NO_QUERY = new URLSearchParams();

/**
 * Cut by hand, which costs less than another `new URL`. Bun has made one by then: dot segments are resolved and
 * backslashes turned, so a proxy that has rules by path must do so before it applies them. Without a Host there is
 * none: what was asked for comes as it was sent, and the router takes neither.
 */
function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const found = /^(?:[a-z]+:\/\/[^/?#]*)?([^?#]*)(?:\?([^#]*))?/iu.exec(url);
  const text = found?.[2] ?? "";
  return { path: found?.[1] ?? "", query: text === "" ? NO_QUERY : new URLSearchParams(text) };
}

/** Health checks in HTTP/1.0 send no Host, and that is none; one that is no name is refused (RFC 9112 §3.2). */
function namesNoServer({ url, headers }: Request): boolean {
  return url.startsWith("/") && (headers.get("host") ?? "") !== "";
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
  await recordDenial(deps.database, by, { action, subject: printable(subject, 200), reason });
}

async function headOf(response: Response): Promise<Response> {
  const { headers } = response;
  if (!headers.has("content-length")) {
    headers.set("content-length", String((await response.arrayBuffer()).byteLength));
  }
  return new Response(null, { status: response.status, headers });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
