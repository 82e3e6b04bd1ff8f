import { describe, expect, test } from "bun:test";
import { complete, type Completion } from "../../src/cli/completion.ts";
import { defineCommand, defineGroup } from "../../src/cli/command.ts";

const send = defineCommand({
  name: "send",
  description: "send it",
  args: {
    file: { type: "positional", required: true, description: "the file" },
    to: { type: "string", valueHint: "DIR", description: "where" },
    key: { type: "string", valueHint: "FILE|TEXT", repeat: true, description: "a key" },
    env: { type: "string", valueHint: "NAME", repeat: true, description: "an environment" },
    config: { type: "string", valueHint: "FILE", description: "a configuration" },
    form: { type: "enum", alias: "f", options: ["raw", "ssh"], description: "which form" },
    loud: { type: "boolean", description: "loudly" },
  },
  examples: [],
  exits: [],
  act: async () => ({ exit: 0, document: {}, text: "" }),
});
const status = defineCommand({
  name: "status",
  description: "how it is",
  args: { id: { type: "positional", required: false, description: "the add-on" } },
  examples: [],
  exits: [],
  act: async () => ({ exit: 0, document: {}, text: "" }),
});
const addon = defineGroup({
  name: "addon",
  description: "add-ons",
  members: { status: { description: "how it is", load: async () => status } },
});
const root = defineGroup({
  name: "tool",
  description: "a tool",
  default: "send",
  members: {
    send: { description: "send it", load: async () => send },
    addon: { description: "add-ons", load: async () => addon },
  },
});

const words = (completion: Completion): string[] =>
  completion.kind === "values"
    ? completion.candidates.map(({ value }) => value)
    : [`<${completion.lookup} after ${JSON.stringify(completion.prefix)}>`];

describe("what may stand at the cursor", () => {
  const COMMON = ["--json", "--quiet", "--verbose", "--help"];
  const cases: [string[], string[]][] = [
    [[""], ["send", "addon"]],
    [["a"], ["addon"]],
    [["x", ""], []],
    [["addon", ""], ["status"]],
    [["addon", "status", ""], ['<add-ons after "">']],
    [["addon", "status", "one", ""], []],
    // The default command of a group takes flags without being named.
    [["--lo"], ["--loud"]],
    [
      ["send", "--"],
      ["--to", "--key", "--env", "--config", "--form", "--loud", ...COMMON],
    ],
    // A single flag is offered once, one that repeats again.
    [
      ["send", "--to", "x", "--key", "y", "--loud", "--"],
      ["--key", "--env", "--config", "--form", ...COMMON],
    ],
    // By its letter, too.
    [
      ["send", "-f", ""],
      ["raw", "ssh"],
    ],
    [
      ["send", "-qfraw", "--to", "x", "--loud", "--"],
      ["--key", "--env", "--config", "--json", "--verbose", "--help"],
    ],
    [
      ["send", "--form", ""],
      ["raw", "ssh"],
    ],
    [["send", "--form", "r"], ["raw"]],
    [["send", "--form=s"], ["--form=ssh"]],
    [["send", "--to", ""], ['<folders after "">']],
    [["send", "--key=x"], ['<files after "--key=">']],
    [["send", "--env", ""], ['<environments after "">']],
    [["send", "--loud", ""], ['<files after "">']],
    [["send", "a", ""], []],
    [["send", "--", "--fo"], ['<files after "">']],
    [["send", "--nothing=x"], []],
    [["send", "--to", "--"], ['<folders after "">']],
    [["toString", ""], []],
    [["send", "--__proto__", ""], ['<files after "">']],
  ];
  test.each(cases)("%j", async (line, wanted) => {
    expect(words(await complete(root, line))).toEqual(wanted);
  });

  test("flags before the cursor say where to look", async () => {
    expect(await complete(root, ["send", "--config", "a.json", "--env", "p"])).toEqual({
      kind: "lookup",
      lookup: "environments",
      prefix: "",
      flags: { config: "a.json" },
    });
  });
});
