import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { nearest } from "../base/nearest.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, isGroup, type Command, type Group } from "../cli/command.ts";
import { describeTree } from "../cli/command-tree.ts";
import { resultSchema } from "../cli/schemas/frame.ts";
import { descriptions, schemaNames, schemaOf } from "../cli/schemas/names.ts";
import type { Schema } from "../cli/schemas/shape.ts";

export const schema: Command = defineCommand({
  name: "schema",
  description: "print the JSON Schema (2020-12) of a document that a command prints, or of a file format",
  args: {
    name: {
      type: "positional",
      required: false,
      description: "a command with dashes (verify-pin), or a format (policy); without it, all names",
    },
  },
  examples: [
    "waybill schema",
    "waybill schema verify-pin >verify-pin.schema.json",
    "waybill schema assignments",
  ],
  exits: [],
  act: async ({ name }, world) => {
    if (name === undefined) {
      const names = descriptions();
      const text = Object.entries(names).map(([known, what]) => `${known.padEnd(20)} ${what}\n`);
      return { exit: EXIT.ok, document: { names }, text: text.join("") };
    }
    const bare = name.replace(/^waybill\./u, "").replace(/\/v1$/u, "");
    const found = schemaOf(bare) ?? (await frameOf(bare, world.root));
    if (found === null) throw unknownName(name);
    return {
      exit: EXIT.ok,
      document: { name: bare, json_schema: found },
      text: `${JSON.stringify(found, null, 2)}\n`,
    };
  },
});

/** What can be said of a command whose members nobody described: the frame of every document. */
async function frameOf(name: string, root: Group): Promise<Schema | null> {
  const found = (await describeTree(root)).find(({ path }) => path.join("-") === name);
  return found === undefined || isGroup(found.command)
    ? null
    : resultSchema(name, { what: found.command.meta.description });
}

function unknownName(name: string): Failure {
  const close = nearest(name, schemaNames());
  return new Failure("invalid_value", `there is no schema ${quoted(name)}`, {
    hint: close === null ? "see the names with: waybill schema" : `did you mean ${close}?`,
  });
}
