import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { ADDON_ROUTES } from "./addon-routes.ts";
import { ARTIFACT_ROUTES } from "./artifact-routes.ts";
import { authenticate } from "./authentication.ts";
import { BUILD_ROUTES } from "./build-routes.ts";
import { DenialBudget } from "./denial-budget.ts";
import { recordDenial, type By } from "./events.ts";
import { EVENT_ROUTES } from "./event-routes.ts";
import { HEALTH_ROUTES } from "./health-routes.ts";
import { rfc3339Micros } from "./instant.ts";
import type { Viewer } from "./page/frame.ts";
import { PAGE_ROUTES } from "./page/page-routes.ts";
import { isSecure, seeOther, SIGN_IN } from "./page/sign-in-routes.ts";
import { sessionToken } from "./page/session.ts";
import { viewerOf } from "./page/viewer.ts";
import { PIN_RECEIPT_ROUTES } from "./pin-receipt-routes.ts";
import { PIN_ROUTES } from "./pin-routes.ts";
import { PIN_STOP_ROUTES } from "./pin-stop-routes.ts";
import { PIN_VERSION_ROUTES } from "./pin-version-routes.ts";
import { findRoute, type Deps, type Route } from "./router.ts";
import { allows } from "./scopes.ts";
import { actorOf } from "./token.ts";
import { SECURITY_HEADERS, WireRefusal } from "./wire.ts";

const ROUTES: readonly Route[] = [
  ...HEALTH_ROUTES,
  ...PIN_ROUTES,
  ...PIN_VERSION_ROUTES,
  ...PIN_STOP_ROUTES,
  ...PIN_RECEIPT_ROUTES,
  ...BUILD_ROUTES,
  ...ARTIFACT_ROUTES,
  ...ADDON_ROUTES,
  ...PAGE_ROUTES,
  ...EVENT_ROUTES,
];

/** Where a handler tells what happened. Neither is given a token, a header or a query. */
export type Log = {
  /** One JSON line for each request. */
  readonly request: (line: string) => void;
  /** What went wrong inside; the client is told the request's id alone. */
  readonly fault: (text: string) => void;
};

/** What is known of a request while it is being answered. */
type Progress = {
  by: By;
  action: string;
  subject: string;
  refused: NonNullable<Route["refused"]>;
  viewer: Viewer | null;
};

/** Request to response: routing, authentication, the handler, headers, records. Never rejects, never leaks. */
export function requestHandler(deps: Deps, log: Log): (request: Request) => Promise<Response> {
  const strangers = new DenialBudget();

  return async (request) => {
    const started = deps.now();
    const requestId = deps.newId();
    const { path, query } = splitUrl(request.url);
    const at = rfc3339Micros(started);
    const progress: Progress = {
      by: { actor: "anonymous", env: null, at, requestId },
      action: "request",
      subject: printable(path, 200),
      refused: (refusal) => refusal.toResponse(),
      viewer: null,
    };
    const fault = (error: unknown): void => log.fault(`request ${requestId} failed: ${describe(error)}`);
    let response: Response;
    try {
      response = await answer(request, path, query, progress, deps);
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.status >= 500) fault(error);
      if (isDenial(refusal)) await deny(refusal, progress, strangers, deps).catch(fault);
      response = progress.refused(refusal, request, progress.viewer);
    }
    const finished = await finish(request, response, requestId);
    log.request(
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
): Promise<Response> {
  const routed = findRoute(ROUTES, request.method, path);
  if (routed.found === "nothing") throw new WireRefusal("not_found", "there is nothing at this path");
  if (routed.found === "methods") {
    const allow = routed.allow.join(", ");
    throw new WireRefusal("method_not_allowed", `this path takes ${allow}`, { allow });
  }
  const { route, params } = routed;
  if (route.refused !== undefined) progress.refused = route.refused;
  if (route.access === "open") return route.answer(deps, request);
  progress.action = route.action;
  // A stranger at a page has not been kept from anything yet.
  if (route.access === "page" && sessionToken(request.headers.get("cookie"), isSecure(request)) === null) {
    return seeOther(`${SIGN_IN}?to=${encodeURIComponent(path)}`);
  }
  const takesApiKey = route.access !== "page" && route.takesApiKey === true;
  const caller = await authenticate(request, takesApiKey, deps.database, deps.now());
  if (!caller.ok) {
    throw new WireRefusal("unauthorized", `unauthorized: ${caller.reason}`, { "www-authenticate": "Bearer" });
  }
  const { token } = caller;
  progress.by = { ...progress.by, actor: actorOf(token.id), env: token.env };
  if (route.access === "page") {
    progress.viewer = await viewerOf(token, request, deps.database);
    return route.answer({ request, params, query, viewer: progress.viewer }, deps);
  }
  if (!allows(token.scopes, route.access)) {
    throw new WireRefusal("forbidden", `forbidden: the token lacks the scope ${route.access}`);
  }
  return route.answer(
    { request, params, query, by: progress.by, env: token.env, scopes: token.scopes },
    deps,
  );
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
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("x-request-id", requestId);
  if (request.method !== "HEAD") return new Response(response.body, { status: response.status, headers });
  if (!headers.has("content-length")) {
    headers.set("content-length", String((await response.arrayBuffer()).byteLength));
  }
  return new Response(null, { status: response.status, headers });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
