import type { Quota } from "./artifacts/quota.ts";
import type { BlobStore } from "./artifacts/blob-store.ts";
import type { Database } from "./storage/database.ts";
import type { By } from "./events/events.ts";
import type { HostConfig } from "./addons/delivery.ts";
import type { Metrics } from "./http/metrics.ts";
import type { TrustPolicy } from "./pins/trust-policy.ts";
import type { Viewer } from "./page/frame.ts";
import type { Scope } from "./tokens/scopes.ts";
import type { TokenRecord } from "./tokens/token.ts";
import type { TokenBounds } from "./tokens/token-bounds.ts";
import type { ViewCache } from "./storage/view-cache.ts";
import type { WireRefusal } from "./http/wire.ts";

/** What a handler works with, besides its request. */
export type Deps = {
  readonly database: Database;
  readonly artifacts: BlobStore;
  readonly contexts: BlobStore;
  readonly quota: Quota;
  readonly metrics: Metrics;
  readonly tokens: ViewCache<TokenRecord | null>;
  readonly hostConfigs: ViewCache<HostConfig>;
  /** Null while none is enforced; asked for each promotion, since it can be renewed. */
  readonly trustPolicy: () => TrustPolicy | null;
  readonly now: () => Date;
  /** A new identifier for a request or a build. */
  readonly newId: () => string;
};

/** One request after routing and authentication. */
export type Call = {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly by: By;
  /** The environment of the token: it decides what the request reads and writes. */
  readonly env: string;
  readonly scopes: readonly Scope[];
  readonly bounds: TokenBounds;
  /** The last event before the token was looked at. */
  readonly revision: number;
};

/** A page that somebody with a session looks at. */
export type Visit = Pick<Call, "request" | "params" | "query"> & { readonly viewer: Viewer };

type Common = {
  /** How a refusal is said, where it is not JSON. */
  readonly refused?: (refusal: WireRefusal, request: Request, viewer: Viewer | null) => Response;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Segments; `{name}` takes one, `{name...}` at the end takes the rest, one or more. */
  readonly path: string;
};

export type Route =
  | (Common & {
      readonly access: "open";
      readonly answer: (deps: Deps, request: Request) => Promise<Response>;
    })
  | (Common & {
      readonly access: "page";
      readonly action: string;
      readonly answer: (visit: Visit, deps: Deps) => Promise<Response>;
    })
  | (Common & {
      readonly access: Scope;
      /** Noun and verb, for the record of denied attempts. */
      readonly action: string;
      /** Also takes `x-api-key`, as the original API does. */
      readonly takesApiKey?: true;
      readonly answer: (call: Call, deps: Deps) => Promise<Response>;
    });

export type Routed =
  | { readonly found: "route"; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path exists with other methods. */
  | { readonly found: "methods"; readonly allow: readonly string[] }
  | { readonly found: "nothing" };

type Part = { readonly kind: "text" | "one" | "rest"; readonly text: string };
type Compiled = { readonly route: Route; readonly parts: readonly Part[] };

/** Finds the route of a raw request path. HEAD is answered wherever GET is. */
export class Router {
  readonly #routes: readonly Compiled[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, parts: partsOf(route.path) }));
  }

  find(method: string, rawPath: string): Routed {
    const segments = pathSegments(rawPath);
    if (segments === null) return { found: "nothing" };
    const wanted = method === "HEAD" ? "GET" : method;
    const allow = new Set<string>();
    for (const { route, parts } of this.#routes) {
      if (!fits(parts, segments)) continue;
      if (route.method === wanted) return { found: "route", route, params: paramsOf(parts, segments) };
      allow.add(route.method);
      if (route.method === "GET") allow.add("HEAD");
    }
    return allow.size === 0 ? { found: "nothing" } : { found: "methods", allow: [...allow].sort() };
  }
}

function partsOf(path: string): readonly Part[] {
  return path === "/" ? [] : path.slice(1).split("/").map(partOf);
}

function partOf(text: string): Part {
  if (text.endsWith("...}")) return { kind: "rest", text: text.slice(1, -4) };
  return text.startsWith("{") ? { kind: "one", text: text.slice(1, -1) } : { kind: "text", text };
}

/**
 * The decoded segments of a path, or null for one that two readers could take differently: an empty segment
 * (`//`), a dot segment, or a slash, backslash or control character behind a percent sign.
 */
function pathSegments(rawPath: string): readonly string[] | null {
  if (rawPath === "/") return [];
  if (!rawPath.startsWith("/")) return null;
  const segments: string[] = [];
  for (const raw of rawPath.slice(1).split("/")) {
    let segment = raw;
    if (raw.includes("%")) {
      try {
        segment = decodeURIComponent(raw);
      } catch {
        return null;
      }
    }
    if (segment === "" || segment === "." || segment === ".." || /[/\\\u0000-\u001f\u007f]/u.test(segment)) {
      return null;
    }
    segments.push(segment);
  }
  return segments;
}

function fits(parts: readonly Part[], segments: readonly string[]): boolean {
  const takesRest = parts.at(-1)?.kind === "rest";
  if (takesRest ? segments.length < parts.length : segments.length !== parts.length) return false;
  return parts.every(({ kind, text }, at) => kind !== "text" || text === segments[at]);
}

function paramsOf(parts: readonly Part[], segments: readonly string[]): Readonly<Record<string, string>> {
  const params: Record<string, string> = Object.create(null);
  for (const [at, { kind, text }] of parts.entries()) {
    if (kind === "one") params[text] = segments[at] ?? "";
    if (kind === "rest") params[text] = segments.slice(at).join("/");
  }
  return params;
}
