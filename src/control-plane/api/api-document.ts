import type { JsonMap, JsonValue } from "../../base/json.ts";
import { OPERATIONS, type Operation } from "./api-operations.ts";
import { SCHEMAS } from "./api-schemas.ts";
import type { Route } from "../router.ts";

/** Whether the errors of a path are RFC 9457 problems. The older ones answer as they always did. */
export function hasProblems(path: string): boolean {
  return path.startsWith("/v1/");
}

/** Pages are for people, and so are the way in and what pages are made of. */
export function isOfApi({ path }: Route): boolean {
  return /^\/(?:v1|v5|cp|healthz|readyz|metrics)(?:\/|$)/u.test(path);
}

/** The OpenAPI 3.1 document of these routes: paths, scopes and methods are theirs, the rest is `OPERATIONS`. */
export function apiDocument(routes: readonly Route[], version: string): JsonMap {
  const paths: Record<string, Record<string, JsonValue>> = {};
  for (const route of routes.filter(isOfApi)) {
    const path = route.path.replace("...}", "}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "waybill control plane", version },
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
      },
    },
  };
}

function operationOf(route: Route): JsonMap {
  const known = OPERATIONS[`${route.method} ${route.path}`];
  if (known === undefined) throw new Error(`nothing is said of ${route.method} ${route.path}`);
  return {
    operationId: operationId(route),
    summary: known.summary,
    security: securityOf(route),
    parameters: [
      ...[...route.path.matchAll(/\{(\w+)(?:\.\.\.)?\}/gu)].map(([, name = ""]) =>
        parameter("path", name, true),
      ),
      ...(known.query ?? []).map((name) => parameter("query", name, false)),
      ...(known.headers ?? []).map((name) => parameter("header", name, false)),
    ],
    ...bodyOf(known),
    responses: {
      ...answersOf(known),
      default: {
        description: "refused, or failed",
        content: hasProblems(route.path)
          ? { "application/problem+json": { schema: ref("Problem") } }
          : { "application/json": { schema: ref("Error") } },
      },
    },
  };
}

/** A name that generators of clients can use: `get_v1_pins_template_region`. */
function operationId({ method, path }: Route): string {
  return `${method}${path}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, "_")
    .replace(/_$/u, "");
}

function securityOf(route: Route): JsonValue {
  if (route.access === "open" || route.access === "page") return [];
  // Scopes of a bearer token are named since OpenAPI 3.1, also outside OAuth.
  const schemes = route.takesApiKey === true ? ["bearer", "apiKey"] : ["bearer"];
  return schemes.map((name) => ({ [name]: [route.access] }));
}

function bodyOf({ body, form, bytes }: Operation): JsonMap {
  const content = {
    ...(body === undefined ? {} : { "application/json": { schema: ref(body) } }),
    ...(form === undefined ? {} : { "multipart/form-data": { schema: ref(form) } }),
    ...(bytes === undefined ? {} : { [bytes]: {} }),
  };
  return Object.keys(content).length === 0 ? {} : { requestBody: { required: true, content } };
}

function answersOf(known: Operation): JsonMap {
  return Object.fromEntries(
    Object.entries(known.answers).map(([status, schema]) => [
      status,
      {
        description: known.summary,
        ...(schema === null ? {} : { content: { "application/json": { schema: ref(schema) } } }),
      },
    ]),
  );
}

function parameter(place: string, name: string, required: boolean): JsonMap {
  return { in: place, name, required, schema: { type: "string" } };
}

function ref(name: string): JsonMap {
  return { $ref: `#/components/schemas/${name}` };
}
