import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { resultSchema } from "../../src/cli/schemas/frame.ts";
import { schemaOf } from "../../src/cli/schemas/names.ts";

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
const compiled = new Map<string, ValidateFunction>();

/** A validator for the document of a command, or for the members that all documents have. */
function validator(name: string): ValidateFunction {
  const known = compiled.get(name) ?? ajv.compile(schemaOf(name) ?? resultSchema(name, { what: name }));
  compiled.set(name, known);
  return known;
}

/** What the published schema says against this document, or null. */
export function schemaProblem(name: string, document: unknown): string | null {
  const validate = validator(name);
  return validate(document) ? null : ajv.errorsText(validate.errors, { dataVar: name });
}

/**
 * Every document that a test sees is held against its schema. Standard output that is no whole document of ours is
 * left to the test.
 */
export function checkDocument(stdout: string): void {
  const name = /^\{"schema":"waybill\.([a-z-]+)\/v1"/u.exec(stdout)?.[1];
  if (name === undefined) return;
  let document: unknown;
  try {
    document = JSON.parse(stdout);
  } catch {
    return;
  }
  const problem = schemaProblem(name, document);
  if (problem === null) return;
  throw new Error(
    `the document departs from its schema (waybill schema ${name}): ${problem}; members and words may be added, ` +
      "a kind may not change; correct the command, or what src/cli/schemas says of it",
  );
}
