import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import { complete, type Candidate, type Completion, type Lookup } from "../cli/completion.ts";
import { COMPLETION_SCRIPTS } from "../cli/completion-scripts.ts";
import { readStandardInput } from "../host/standard-input.ts";

const SHELLS: readonly string[] = Object.keys(COMPLETION_SCRIPTS);
const isShell = (word: string): word is keyof typeof COMPLETION_SCRIPTS =>
  Object.hasOwn(COMPLETION_SCRIPTS, word);

export const completions: Command = defineCommand({
  name: "completions",
  description: "print what bash, zsh or fish load to complete commands, flags and values",
  args: {
    shell: {
      type: "positional",
      required: true,
      description: "bash, zsh or fish; `words` answers their question on standard input",
    },
  },
  examples: [
    "source <(waybill completions bash)",
    "waybill completions zsh >~/.zfunc/_waybill",
    "waybill completions fish >~/.config/fish/completions/waybill.fish",
  ],
  exits: [],
  act: async ({ shell }, world) => {
    if (shell === "words") return answer(world);
    if (!isShell(shell)) {
      throw new Failure("invalid_value", `SHELL is ${quoted(shell)}; wanted one of ${SHELLS.join(", ")}`);
    }
    const script = COMPLETION_SCRIPTS[shell];
    return { exit: EXIT.ok, document: { shell, script }, text: script };
  },
});

/** The question of a shell: words, each ended by a zero byte. The answer: a kind, then values with descriptions. */
async function answer(world: World): Promise<Outcome> {
  const input = new TextDecoder().decode(readStandardInput(LIMITS.secretBytes, "the words"));
  const words = input.endsWith("\0") ? input.slice(0, -1).split("\0") : [input];
  const found = await complete(world.root, words);
  const { kind, candidates } =
    found.kind === "values" ? found : await looked(found, words.at(-1) ?? "", world);
  const lines = candidates.map(({ value, description }) => `${value}\t${description}`);
  return {
    exit: EXIT.ok,
    document: { kind, candidates: candidates.map(({ value, description }) => ({ value, description })) },
    text: `${[kind, ...lines].join("\n")}\n`,
  };
}

type Answer = { readonly kind: "values" | "files" | "folders"; readonly candidates: readonly Candidate[] };

async function looked(
  { lookup, prefix, flags }: Extract<Completion, { kind: "lookup" }>,
  word: string,
  world: World,
): Promise<Answer> {
  if (lookup === "files" || lookup === "folders") return { kind: lookup, candidates: [] };
  const names = await namesOf(lookup, flags, world);
  const candidates = names
    .filter((name) => `${prefix}${name}`.startsWith(word))
    .map((name) => ({ value: `${prefix}${name}`, description: "" }));
  return { kind: "values", candidates };
}

type Names = (flags: Readonly<Record<string, string>>, world: World) => Promise<readonly string[]>;

const NAMES: Readonly<Record<Exclude<Lookup, "files" | "folders">, Names>> = {
  shells: async () => SHELLS,
  schemas: async () => (await import("../cli/schemas/names.ts")).schemaNames(),
  pages: async (_flags, world) => (await import("./man.ts")).pageNames(world.root),
  environments: async (flags, world) =>
    (await import("./known-names.ts")).knownEnvironments(flags["config"], world),
  "add-ons": async (flags, world) => (await import("./known-names.ts")).knownAddons(flags, world),
};

/** A half-written line names files that are not there yet; a completion has nothing to say about that. */
async function namesOf(
  ...[lookup, flags, world]: [keyof typeof NAMES, ...Parameters<Names>]
): Promise<readonly string[]> {
  try {
    return await NAMES[lookup](flags, world);
  } catch {
    return [];
  }
}
