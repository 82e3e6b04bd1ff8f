import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { isMap } from "../../src/base/decode.ts";
import { EXIT, type ExitCode } from "../../src/base/exit-codes.ts";
import type { JsonValue } from "../../src/base/json.ts";
import { describeTree } from "../../src/cli/command-tree.ts";
import { isGroup, type Command } from "../../src/cli/command.ts";
import { resultSchema } from "../../src/cli/schemas/frame.ts";
import { schemaOf } from "../../src/cli/schemas/names.ts";
import type { Schema } from "../../src/cli/schemas/shape.ts";
import { root } from "../../src/commands/root.ts";

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
const compiled = new Map<string, ValidateFunction>();

/** A validator for the document of a command, or for the members that all documents have. */
function validator(name: string): ValidateFunction {
  const known = compiled.get(name) ?? ajv.compile(publishedSchema(name));
  compiled.set(name, known);
  return known;
}

function publishedSchema(name: string): Schema {
  return schemaOf(name) ?? resultSchema(name, { what: name });
}

const compiledClosed = new Map<string, ValidateFunction>();

/** A member of a document that its schema does not tell of, or null: readers may meet one, and we have to name it. */
function untoldMember(name: string, document: unknown): string | null {
  const validate = compiledClosed.get(name) ?? ajv.compile(closedSchema(name));
  compiledClosed.set(name, validate);
  if (validate(document)) return null;
  const [error] = validate.errors ?? [];
  return `${name}${error?.instancePath} ${error?.message} (${JSON.stringify(error?.params)})`;
}

/** The schema of a document that may have no more than it tells of; without its name, which the other one has. */
function closedSchema(name: string): object {
  const { $id: _name, ...schema } = publishedSchema(name);
  const whole = closed(schema);
  if (!isMap(whole)) throw new TypeError("a schema is an object");
  return whole;
}

function closed(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isMap(schema)) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]));
  const isOpen = schema["type"] === "object" && "properties" in schema && !("additionalProperties" in schema);
  return isOpen ? { ...parts, additionalProperties: false } : parts;
}

/** What the published schema says against this document, or null. */
export function schemaProblem(name: string, document: unknown): string | null {
  const validate = validator(name);
  return validate(document) ? null : ajv.errorsText(validate.errors, { dataVar: name });
}

/** How each command says that it can end, by the name of its document. A signal ends any of them. */
const EXITS: ReadonlyMap<string, ReadonlySet<ExitCode>> = new Map(
  (await describeTree(root)).flatMap(({ path, command }) =>
    isGroup(command) ? [] : [[path.join("-"), exitsOf(command)] as const],
  ),
);

function exitsOf({ exits }: Command): ReadonlySet<ExitCode> {
  return new Set([...exits.map((name) => EXIT[name]), EXIT.interrupted, EXIT.terminated]);
}

/** What is wrong with the exit code of a document, or null. */
function exitProblem(name: string, document: unknown): string | null {
  const code = (document as { exit_code?: ExitCode }).exit_code;
  const known = EXITS.get(name);
  if (known === undefined || code === undefined || known.has(code)) return null;
  return `exit ${code} is not among the exits of its command`;
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
  const problem =
    schemaProblem(name, document) ?? untoldMember(name, document) ?? exitProblem(name, document);
  if (problem === null) return;
  throw new Error(
    `the document departs from its schema (waybill schema ${name}): ${problem}; members and words may be added, ` +
      "a kind may not change; correct the command, or what src/cli/schemas says of it",
  );
}
