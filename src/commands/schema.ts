import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { nearest } from "../base/nearest.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command } from "../cli/command.ts";
import { descriptions, schemaNames, schemaOf } from "../cli/schemas/names.ts";

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
  act: async ({ name }) => {
    if (name === undefined) {
      const names = descriptions();
      const text = Object.entries(names).map(([known, what]) => `${known.padEnd(20)} ${what}\n`);
      return { exit: EXIT.ok, document: { names }, text: text.join("") };
    }
    const bare = name.replace(/^waybill\./u, "").replace(/\/v1$/u, "");
    const found = schemaOf(bare);
    if (found === null) throw unknownName(name);
    return {
      exit: EXIT.ok,
      document: { name: bare, json_schema: found },
      text: `${JSON.stringify(found, null, 2)}\n`,
    };
  },
});

function unknownName(name: string): Failure {
  const close = nearest(name, schemaNames());
  return new Failure("invalid_value", `there is no schema ${quoted(name)}`, {
    hint: close === null ? "see the names with: waybill schema" : `did you mean ${close}?`,
  });
}
