import { EXIT } from "../base/exit-codes.ts";
import { printable } from "../base/printable.ts";
import { defineCommand, type Command, type Outcome, type World } from "../cli/command.ts";
import type { Values } from "../cli/flags.ts";
import { explain } from "../context/explain.ts";
import { describeReason } from "../context/explanation.ts";
import { CONTEXT_FLAGS, refuseTwoIgnoreRules } from "./context-flags.ts";

const FLAGS = {
  path: { type: "positional", required: true, description: "a file, link or folder of the context" },
  context: { type: "string", valueHint: "DIR", default: ".", description: "the folder that is built" },
  ...CONTEXT_FLAGS,
} as const;

export const explainCommand: Command = defineCommand({
  name: "explain",
  description: "why a path is in or out of the build context, and which line of the ignore file says so",
  args: FLAGS,
  examples: ["waybill explain node_modules/left-pad", "waybill explain src/main.ts --context app --json"],
  exits: ["policy", "missing"],
  act: explainAct,
});

async function explainAct(flags: Values<typeof FLAGS>, world: World): Promise<Outcome> {
  refuseTwoIgnoreRules(flags);
  const found = explain({
    path: flags.path,
    context: flags.context,
    cwd: world.cwd,
    dockerfile: flags.dockerfile,
    ignoreFile: flags["ignore-file"],
    noIgnore: flags["no-ignore"],
  });
  const { path, included, rule, reason, ignoreFile } = found;
  const verdict = included ? "included" : "left out";
  return {
    exit: EXIT.ok,
    document: {
      path,
      included,
      rule: rule === null ? null : { pattern: rule.pattern, line: rule.line },
      reason,
      ignore_file: ignoreFile,
    },
    text: `${verdict}  ${printable(path)}  ${printable(describeReason(found))}\n`,
  };
}
