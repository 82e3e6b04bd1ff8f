import { renderUsage, type CommandDef, type SubCommandsDef } from "citty";
import { EXIT, EXIT_MEANING } from "../base/exit-codes.ts";
import { isTerminal } from "../host/descriptors.ts";
import { isGroup, type Command, type Group } from "./command.ts";
import { COMMON_FLAGS, type Flags } from "./flags.ts";
import {
  COLOURED,
  exampleSection,
  PLAIN,
  rowOf,
  rowSection,
  wrapped,
  type Paint,
  type Row,
} from "./help-page.ts";

/** The help of a command or group: citty's usage, then our examples and the exit codes that can happen. */
export async function helpOf(command: Command | Group, path: readonly string[], env: Env): Promise<string> {
  const parents = path.slice(0, -1).join(" ");
  const shown: CommandDef = isGroup(command)
    ? { meta: command.meta, subCommands: overviewOf(command) }
    : { meta: command.meta, args: { ...repetitionsTold(command.args), ...COMMON_FLAGS } };
  const usage = await renderUsage(shown, parents === "" ? undefined : { meta: { name: parents } });
  const paint = coloured(env) ? COLOURED : PLAIN;
  const sections = laidOut(Bun.stripANSI(usage).trim(), isGroup(command), paint);
  if (!isGroup(command)) {
    sections.push(exampleSection("EXAMPLES", command.examples, paint));
    const exits = command.exits.map((name): Row => [String(EXIT[name]).padStart(3), EXIT_MEANING[name]]);
    sections.push(rowSection("EXIT CODES", exits, paint));
  }
  return `${sections.join("\n\n")}\n`;
}

function overviewOf({ members }: Group): SubCommandsDef {
  return Object.fromEntries(
    Object.entries(members).map(([name, { description }]) => [name, { meta: { name, description } }]),
  );
}

type Env = Readonly<Record<string, string | undefined>>;

/** citty does not know flags that may be given several times. */
function repetitionsTold(flags: Flags): Flags {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      flag.repeat === true ? { ...flag, description: `${flag.description ?? ""} (repeatable)` } : flag,
    ]),
  );
}

/** citty's sections on our page: it aligns to the right, and its lines are as long as their text. */
function laidOut(usage: string, isGroup: boolean, paint: Paint): string[] {
  const sections: string[] = [];
  const blocks = usage.split(/\n{2,}/u);
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const [, title = "", rest = ""] = /^([A-Z]{2,})(.*)$/su.exec(block) ?? [];
    if (title === "USAGE") {
      // An overview has the names of the commands below, with what they do.
      const line = isGroup ? rest.replace(/ \S+$/u, " COMMAND") : rest;
      sections.push(paint.heading(title) + wrapped(title + line, "      ").slice(title.length));
    } else if (title === "") {
      sections.push(wrapped(block));
    } else {
      sections.push(rowSection(title, (blocks.shift() ?? "").split("\n").map(rowOf), paint));
    }
  }
  return sections;
}

// citty colours even into a pipe; we colour only a terminal whose owner did not say NO_COLOR.
function coloured(env: Env): boolean {
  return isTerminal(1) && (env["NO_COLOR"] ?? "") === "";
}
