import { exitCode, failure, flag, object, type Members, type Schema } from "./shape.ts";

/** What the document of a command has: however it ended, when it ended well, and sometimes. */
export type ResultShape = {
  readonly what: string;
  readonly always?: Members;
  readonly success?: Members;
  readonly sometimes?: Members;
};

export const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** The schema of the document of a command: the frame that all of them have, and its own members. */
export function resultSchema(name: string, { what, always, success, sometimes }: ResultShape): Schema {
  const optional = { ...success, ...sometimes };
  const frame = object({
    schema: { const: `waybill.${name}/v1` },
    ok: flag,
    exit_code: exitCode,
    ...always,
    ...Object.fromEntries(Object.entries(optional).map(([member, schema]) => [`${member}?`, schema])),
    "error?": failure,
  });
  const required = Object.keys(success ?? {});
  return {
    $schema: DIALECT,
    $id: `urn:waybill:${name}:v1`,
    title: `waybill.${name}/v1`,
    description: what,
    ...frame,
    // Said without if and then: a reader that awaits this object would take it for a promise.
    ...(required.length === 0 ? {} : { anyOf: [{ properties: { ok: { const: false } } }, { required }] }),
  };
}

/** The schema of a file format. */
export function format(name: string, what: string, schema: Schema): Schema {
  return {
    $schema: DIALECT,
    $id: `urn:waybill:file:${name}`,
    title: name,
    description: what,
    ...schema,
  };
}
