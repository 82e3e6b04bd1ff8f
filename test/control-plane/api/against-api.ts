import type { JsonValue } from "../../../src/base/json.ts";
import { isMap } from "../../../src/base/decode.ts";
import { apiDocument, isOfApi } from "../../../src/control-plane/api/api-document.ts";
import { Router } from "../../../src/control-plane/router.ts";
import { ROUTES } from "../../../src/control-plane/routes.ts";

const DOCUMENT = apiDocument(ROUTES, "0");
const ROUTER = new Router(ROUTES);

/** What is wrong with an answer by the document of the API; empty when it is as documented. */
export async function undocumented(method: string, path: string, answer: Response): Promise<string[]> {
  const routed = ROUTER.find(method, path.split("?")[0] ?? "");
  if (routed.found !== "route") return [];
  const { route } = routed;
  if (!isOfApi(route)) return [];
  const name = `${route.method} ${route.path} ${answer.status}`;
  const operation = at(DOCUMENT, "paths", route.path.replace("...}", "}"), route.method.toLowerCase());
  const said = at(operation, "responses");
  const declared = isMap(said) ? said[String(answer.status)] : undefined;
  const fallback = answer.status >= 400 ? at(said, "default") : undefined;
  const response = declared ?? fallback;
  if (response === undefined) return [`${name} is not documented`];
  const contents = at(response, "content");
  if (!isMap(contents) || method === "HEAD") return [];
  const type = (answer.headers.get("content-type") ?? "").split(";")[0] ?? "";
  const schema = at(contents, type, "schema");
  if (schema === undefined) return [`${name} is ${type}, documented is ${Object.keys(contents).join(", ")}`];
  const body: JsonValue = (await answer.clone().json()) as JsonValue;
  return problems(schema, body, name);
}

/** The parts of JSON Schema that the document uses. */
export function problems(
  schema: JsonValue | undefined,
  value: JsonValue | undefined,
  where: string,
): string[] {
  if (!isMap(schema)) return [`${where}: no schema`];
  const reference = schema["$ref"];
  if (typeof reference === "string")
    return problems(at(DOCUMENT, ...reference.slice(2).split("/")), value, where);
  const { anyOf, type, properties, required, items, pattern, minimum, additionalProperties } = schema;
  const found: string[] = [];
  const check = (holds: boolean, what: string): void => {
    if (!holds) found.push(`${where} is ${JSON.stringify(value)}: ${what}`);
  };
  if (Array.isArray(anyOf)) {
    check(
      anyOf.some((one: JsonValue) => problems(one, value, where).length === 0),
      "none of anyOf",
    );
  }
  if (schema["const"] !== undefined) check(value === schema["const"], "not the constant");
  if (Array.isArray(schema["enum"])) check(schema["enum"].includes(value ?? null), "not one of the enum");
  if (type !== undefined)
    check(
      typeOf(value) === type || (type === "number" && typeOf(value) === "integer"),
      `no ${JSON.stringify(type)}`,
    );
  if (typeof pattern === "string" && typeof value === "string")
    check(new RegExp(pattern, "u").test(value), "pattern");
  if (typeof minimum === "number" && typeof value === "number") check(value >= minimum, "too small");
  if (Array.isArray(value) && items !== undefined) {
    for (const [index, item] of value.entries()) found.push(...problems(items, item, `${where}[${index}]`));
  }
  if (!isMap(value)) return found;
  for (const name of Array.isArray(required) ? required : []) {
    check(Object.hasOwn(value, String(name)), `lacks ${String(name)}`);
  }
  for (const [name, member] of Object.entries(value)) {
    const own = at(properties, name);
    if (own !== undefined) found.push(...problems(own, member, `${where}.${name}`));
    else if (additionalProperties === false) found.push(`${where}.${name} is not documented`);
    else if (isMap(additionalProperties))
      found.push(...problems(additionalProperties, member, `${where}.${name}`));
  }
  return found;
}

function typeOf(value: JsonValue | undefined): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function at(value: JsonValue | undefined, ...names: readonly string[]): JsonValue | undefined {
  return names.reduce<JsonValue | undefined>(
    (found, name) => (isMap(found) && Object.hasOwn(found, name) ? found[name] : undefined),
    value,
  );
}
