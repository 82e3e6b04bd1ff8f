import { renderUsage, type CommandDef } from "citty";
import { EXIT, EXIT_MEANING } from "../base/exit-codes.ts";
import { isTerminal } from "../host/descriptors.ts";
import { isGroup, type Command, type Group } from "./command.ts";
import { COMMON_FLAGS } from "./flags.ts";

/** The help of a command or group: citty's usage, then our examples and the exit codes that can happen. */
export async function helpOf(command: Command | Group, path: readonly string[], env: Env): Promise<string> {
  const parents = path.slice(0, -1).join(" ");
  const shown: CommandDef = isGroup(command)
    ? { meta: command.meta, subCommands: command.subCommands }
    : { meta: command.meta, args: { ...command.args, ...COMMON_FLAGS } };
  const usage = await renderUsage(shown, parents === "" ? undefined : { meta: { name: parents } });
  const sections = [usage.trim()];
  if (!isGroup(command)) {
    sections.push(section("EXAMPLES", command.examples, env));
    const exits = command.exits.map((name) => `${String(EXIT[name]).padStart(3)}  ${EXIT_MEANING[name]}`);
    sections.push(section("EXIT CODES", exits, env));
  }
  const text = `${sections.join("\n\n")}\n`;
  return coloured(env) ? text : Bun.stripANSI(text);
}

type Env = Readonly<Record<string, string | undefined>>;

function section(title: string, lines: readonly string[], env: Env): string {
  const heading = coloured(env) ? `\u001b[4m\u001b[1m${title}\u001b[22m\u001b[24m` : title;
  return [heading, "", ...lines.map((line) => `  ${line}`)].join("\n");
}

// citty colours even into a pipe; we colour only a terminal whose owner did not say NO_COLOR.
function coloured(env: Env): boolean {
  return isTerminal(1) && (env["NO_COLOR"] ?? "") === "";
}
