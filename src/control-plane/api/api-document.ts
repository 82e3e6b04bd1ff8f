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
  const known: Operation | undefined = OPERATIONS[`${route.method} ${route.path}`];
  return {
    ...(known === undefined ? {} : { summary: known.summary }),
    ...securityOf(route),
    parameters: [
      ...[...route.path.matchAll(/\{(\w+)(?:\.\.\.)?\}/gu)].map(([, name = ""]) =>
        parameter("path", name, true),
      ),
      ...(known?.query ?? []).map((name) => parameter("query", name, false)),
      ...(known?.headers ?? []).map((name) => parameter("header", name, false)),
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

function securityOf(route: Route): JsonMap {
  if (route.access === "open" || route.access === "page") return { security: [] };
  // Scopes of a bearer token are named since OpenAPI 3.1, also outside OAuth.
  const schemes = route.takesApiKey === true ? ["bearer", "apiKey"] : ["bearer"];
  return {
    operationId: `${route.action} ${route.path}`,
    security: schemes.map((name) => ({ [name]: [route.access] })),
  };
}

function bodyOf(known: Operation | undefined): JsonMap {
  if (known?.body !== undefined) {
    return { requestBody: { required: true, content: { "application/json": { schema: ref(known.body) } } } };
  }
  return known?.bytes === undefined
    ? {}
    : { requestBody: { required: true, content: { [known.bytes]: {} } } };
}

function answersOf(known: Operation | undefined): JsonMap {
  if (known === undefined) return { "2XX": { description: "done" } };
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
