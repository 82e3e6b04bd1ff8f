/** docs/commands.md, from the command definitions. Run by scripts/docs; scripts/test runs `scripts/docs --check`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, EXIT_MEANING } from "../src/base/exit-codes.ts";
import { isGroup, type Command } from "../src/cli/command.ts";
import { describeTree } from "../src/cli/command-tree.ts";
import { COMMON_FLAGS, type Flags } from "../src/cli/flags.ts";
import { shownArgument, shownFlag, toldFlag } from "../src/cli/man-page.ts";
import { root } from "../src/commands/root.ts";
import { descriptions } from "../src/cli/schemas/names.ts";

const PAGE = join(import.meta.dir, "../docs/commands.md");

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function flagTable(flags: Flags): string[] {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const shown = flag.type === "positional" ? name.toUpperCase() : shownFlag(name, flag, true);
    return `| \`${cell(shown)}\` | ${cell(toldFlag(flag))}${flag.required === true ? "; required" : ""} |`;
  });
  return rows.length === 0 ? [] : ["| argument | meaning |", "|---|---|", ...rows, ""];
}

function commandSection(path: readonly string[], command: Command): string[] {
  const name = ["waybill", ...path].join(" ");
  const named = Object.entries(command.args);
  const positionals = named.filter(([, flag]) => flag.type === "positional");
  const required = named.filter(([, flag]) => flag.type !== "positional" && flag.required === true);
  const synopsis = [...positionals, ...required].map(([arg, flag]) => shownArgument(arg, flag));
  return [
    `## ${name}`,
    command.meta.description,
    "```",
    [name, ...synopsis, ...(named.length > synopsis.length ? ["[flags]"] : [])].join(" "),
    "```",
    ...flagTable(command.args),
    `Ends with ${command.exits.map((exit) => `${EXIT[exit]}`).join(", ")}. Document: \`waybill schema ${path.join("-")}\`.`,
    "```",
    ...command.examples,
    "```",
    "",
  ];
}

const described = await describeTree(root);
const commands = described.flatMap(({ path, command }) => (isGroup(command) ? [] : [{ path, command }]));
const page = [
  "# Commands",
  "Written by `scripts/docs` from the definitions in `src/commands`; change those.",
  "",
  "| command | what it does |",
  "|---|---|",
  ...commands.map(({ path, command }) => {
    const name = ["waybill", ...path].join(" ");
    return `| [\`${name}\`](#${name.replaceAll(" ", "-")}) | ${cell(command.meta.description)} |`;
  }),
  "",
  "## Every command",
  ...flagTable(COMMON_FLAGS),
  "| exit code | meaning |",
  "|---|---|",
  ...Object.entries(EXIT).map(
    ([name, code]) => `| ${code} | ${EXIT_MEANING[name as keyof typeof EXIT_MEANING]} |`,
  ),
  "",
  ...commands.flatMap(({ path, command }) => commandSection(path, command)),
  "## Schemas",
  "`waybill schema NAME` prints the JSON Schema of each of these.",
  "",
  "| name | what it describes |",
  "|---|---|",
  ...Object.entries(descriptions()).map(([name, what]) => `| \`${name}\` | ${cell(what)} |`),
  "",
].join("\n");

if (process.argv.includes("--check")) {
  let found = "";
  try {
    found = readFileSync(PAGE, "utf8");
  } catch {
    // A page that is missing is stale.
  }
  if (found !== page) {
    console.error(
      "docs/commands.md is not what the command definitions say; run: scripts/docs, and commit it",
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(PAGE, page);
  console.log("docs/commands.md");
}
