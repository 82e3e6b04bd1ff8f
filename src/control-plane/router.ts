import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import type { By } from "./events.ts";
import type { Viewer } from "./page/frame.ts";
import type { Scope } from "./scopes.ts";
import type { WireRefusal } from "./wire.ts";

/** What a handler works with, besides its request. */
export type Deps = {
  readonly database: Database;
  readonly artifacts: BlobStore;
  readonly contexts: BlobStore;
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

/** Finds the route of a raw request path. HEAD is answered wherever GET is. */
export function findRoute(routes: readonly Route[], method: string, rawPath: string): Routed {
  const segments = pathSegments(rawPath);
  if (segments === null) return { found: "nothing" };
  const wanted = method === "HEAD" ? "GET" : method;
  const allow = new Set<string>();
  for (const route of routes) {
    const params = match(route.path, segments);
    if (params === null) continue;
    if (route.method === wanted) return { found: "route", route, params };
    allow.add(route.method);
    if (route.method === "GET") allow.add("HEAD");
  }
  return allow.size === 0 ? { found: "nothing" } : { found: "methods", allow: [...allow].sort() };
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
    let segment: string;
    try {
      segment = decodeURIComponent(raw);
    } catch {
      return null;
    }
    if (segment === "" || segment === "." || segment === ".." || /[/\\\u0000-\u001f\u007f]/u.test(segment)) {
      return null;
    }
    segments.push(segment);
  }
  return segments;
}

function match(pattern: string, segments: readonly string[]): Readonly<Record<string, string>> | null {
  const wanted = pattern === "/" ? [] : pattern.slice(1).split("/");
  const params: Record<string, string> = Object.create(null);
  for (const [index, part] of wanted.entries()) {
    const segment = segments[index];
    if (segment === undefined) return null;
    if (part.endsWith("...}")) {
      params[part.slice(1, -4)] = segments.slice(index).join("/");
      return params;
    }
    if (part.startsWith("{")) params[part.slice(1, -1)] = segment;
    else if (part !== segment) return null;
  }
  return wanted.length === segments.length ? params : null;
}
