import { ADDON_RESULTS } from "./addon-results.ts";
import { CAPTURE_RESULTS } from "./capture-results.ts";
import { CLI_RESULTS } from "./cli-results.ts";
import { FORMATS } from "./formats.ts";
import { resultSchema, type ResultShape } from "./frame.ts";
import { KEY_RESULTS } from "./key-results.ts";
import { PIN_RESULTS } from "./pin-results.ts";
import type { Schema } from "./shape.ts";
import { TOKEN_RESULTS } from "./token-results.ts";
import { TRUST_RESULTS } from "./trust-results.ts";

const RESULTS: { readonly [name: string]: ResultShape } = {
  ...CLI_RESULTS,
  ...CAPTURE_RESULTS,
  ...PIN_RESULTS,
  ...TRUST_RESULTS,
  ...KEY_RESULTS,
  ...ADDON_RESULTS,
  ...TOKEN_RESULTS,
};

/** Everything that has a schema of its own: documents by the name of their command, then file formats. */
export function schemaNames(): string[] {
  return [...Object.keys(RESULTS), ...Object.keys(FORMATS)];
}

/** The schema of this name, or null. */
export function schemaOf(name: string): Schema | null {
  const result = Object.hasOwn(RESULTS, name) ? RESULTS[name] : undefined;
  if (result !== undefined) return resultSchema(name, result);
  return (Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined) ?? null;
}

/** Each name and what it describes, in words. */
export function descriptions(): { readonly [name: string]: string } {
  const results = Object.entries(RESULTS).map(([name, { what }]) => [name, what] as const);
  const formats = Object.entries(FORMATS).map(([name, schema]) => {
    const { description } = schema;
    return [name, typeof description === "string" ? description : ""] as const;
  });
  return Object.fromEntries([...results, ...formats]);
}
