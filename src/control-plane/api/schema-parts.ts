import type { JsonMap, JsonValue } from "../../base/json.ts";

export const text: JsonMap = { type: "string" };
export const whole: JsonMap = { type: "integer", minimum: 0 };
export const flag: JsonMap = { type: "boolean" };
export const instant: JsonMap = {
  type: "string",
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z$",
};
export const sha256: JsonMap = { type: "string", pattern: "^[0-9a-f]{64}$" };
export const imageDigest: JsonMap = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" };
export const anyMap: JsonMap = { type: "object" };

export function list(items: JsonValue): JsonMap {
  return { type: "array", items };
}

export function orNull(schema: JsonMap): JsonMap {
  return { anyOf: [schema, { type: "null" }] };
}

export function ref(name: string): JsonMap {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object with these members and no others; a name that ends with "?" may be absent. */
export function exact(members: Readonly<Record<string, JsonMap>>): JsonMap {
  const names = Object.keys(members);
  return {
    type: "object",
    additionalProperties: false,
    required: names.filter((name) => !name.endsWith("?")),
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/u, ""), members[name] ?? {}])),
  };
}
