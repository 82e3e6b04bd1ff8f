import { EXIT, failureCodes } from "../../base/exit-codes.ts";
import type { JsonMap } from "../../base/json.ts";
import { MEANINGS } from "./meanings.ts";

/** A JSON Schema, draft 2020-12, or a part of one. */
export type Schema = JsonMap;

/** Members by name; a name that ends with `?` may be missing. */
export type Members = { readonly [name: string]: Schema };

export const text: Schema = { type: "string" };
export const flag: Schema = { type: "boolean" };
export const count: Schema = { type: "integer", minimum: 0 };
export const integer: Schema = { type: "integer" };
export const anything: Schema = {};
export const instant: Schema = {
  type: "string",
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$",
};
export const sha256: Schema = { type: "string", pattern: "^[0-9a-f]{64}$" };
export const digest: Schema = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" };
/** Of git, in SHA-1 or SHA-256. */
export const objectId: Schema = { type: "string", pattern: "^([0-9a-f]{40}|[0-9a-f]{64})$" };
/** base64 of the SHA-256 of the key as SPKI DER. */
export const keyid: Schema = { type: "string", pattern: "^[A-Za-z0-9+/]{43}=$" };
export const exitCode: Schema = { enum: Object.values(EXIT) };

/** One of these today. Words are only ever added, so a reader must take one that it does not know. */
export function word(...known: readonly string[]): Schema {
  return { type: "string", examples: known };
}

/** One of these and no other. */
export function one(...values: readonly string[]): Schema {
  return { enum: values };
}

export function nullable(schema: Schema): Schema {
  return { anyOf: [schema, { type: "null" }] };
}

export function list(items: Schema): Schema {
  return { type: "array", items };
}

/** An object whose names are data. */
export function map(values: Schema): Schema {
  return { type: "object", additionalProperties: values };
}

/** Members are only ever added, so an object may have more than these. */
export function object(members: Members): Schema {
  const named = Object.entries(members).map(([name, schema]) => {
    const bare = name.replace(/\?$/u, "");
    const meaning = Object.hasOwn(MEANINGS, bare) ? MEANINGS[bare] : undefined;
    return [bare, meaning === undefined ? schema : { ...schema, description: meaning }] as const;
  });
  const required = Object.keys(members).filter((name) => !name.endsWith("?"));
  return {
    type: "object",
    properties: Object.fromEntries(named),
    ...(required.length === 0 ? {} : { required }),
  };
}

/** An object that may have no other member. */
export function closed(members: Members): Schema {
  return { ...object(members), additionalProperties: false };
}

export const failure: Schema = {
  ...object({
    code: { enum: failureCodes() },
    message: text,
    "hint?": text,
    "server_text?": text,
  }),
  description: "why it failed; scripts match on the code",
};

/** Beside a result, without changing how the run ended. */
export const warning: Schema = object({ code: text, message: text });
