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
type Compiled = { readonly route: Route; readonly parts: readonly Part[]; readonly takesRest: boolean };

/** Finds the route of a raw request path. HEAD is answered wherever GET is. */
export class Router {
  readonly #routes: readonly Compiled[];
  /** The routes that a path may have whose first two segments are these, in order. */
  readonly #byHead: ReadonlyMap<string, readonly Compiled[]>;
  /** What was found for the paths that stand in the routes as they are, by method and path. */
  readonly #whole = new Map<string, Routed>();

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => {
      const parts = partsOf(route.path);
      return { route, parts, takesRest: parts.at(-1)?.kind === "rest" };
    });
    const heads = this.#routes.flatMap(({ parts: [first, second] }) =>
      first?.kind === "text" && second?.kind === "text" ? [[first.text, second.text]] : [],
    );
    this.#byHead = new Map(
      heads.map((head) => [headOf(head), this.#routes.filter(({ parts }) => mayBegin(parts, head))]),
    );
    for (const { method, path } of routes) {
      if (!path.includes("{")) this.#whole.set(`${method} ${path}`, this.#look(method, path));
    }
  }

  find(method: string, rawPath: string): Routed {
    return this.#whole.get(`${method} ${rawPath}`) ?? this.#look(method, rawPath);
  }

  #look(method: string, rawPath: string): Routed {
    const segments = pathSegments(rawPath);
    if (segments === null) return { found: "nothing" };
    const wanted = method === "HEAD" ? "GET" : method;
    const allow: string[] = [];
    for (const compiled of this.#byHead.get(headOf(segments)) ?? this.#routes) {
      if (!fits(compiled, segments)) continue;
      const { route, parts } = compiled;
      if (route.method === wanted) return { found: "route", route, params: paramsOf(parts, segments) };
      allow.push(route.method, ...(route.method === "GET" ? ["HEAD"] : []));
    }
    return allow.length === 0
      ? { found: "nothing" }
      : { found: "methods", allow: [...new Set(allow)].sort() };
  }
}

function headOf([first = "", second = ""]: readonly string[]): string {
  return `${first}/${second}`;
}

function mayBegin(parts: readonly Part[], head: readonly string[]): boolean {
  return parts.slice(0, 2).every(({ kind, text }, at) => kind !== "text" || text === head[at]);
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
  const raw = rawPath.slice(1).split("/");
  let segments: readonly string[];
  try {
    segments = rawPath.includes("%") ? raw.map((one) => decodeURIComponent(one)) : raw;
  } catch {
    return null;
  }
  return segments.some(isAmbiguous) ? null : segments;
}

function isAmbiguous(segment: string): boolean {
  return segment === "" || segment === "." || segment === ".." || /[/\\\u0000-\u001f\u007f]/u.test(segment);
}

function fits({ parts, takesRest }: Compiled, segments: readonly string[]): boolean {
  if (takesRest ? segments.length < parts.length : segments.length !== parts.length) return false;
  // In plain loops, here and below: this is done for every request and a dozen routes.
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at];
    if (part?.kind === "text" && part.text !== segments[at]) return false;
  }
  return true;
}

function paramsOf(parts: readonly Part[], segments: readonly string[]): Readonly<Record<string, string>> {
  const params: Record<string, string> = Object.create(null);
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at];
    if (part?.kind === "one") params[part.text] = segments[at] ?? "";
    if (part?.kind === "rest") params[part.text] = segments.slice(at).join("/");
  }
  return params;
}
