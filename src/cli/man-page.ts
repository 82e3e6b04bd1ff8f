import { EXIT, EXIT_MEANING } from "../base/exit-codes.ts";
import { isGroup, type Command, type Group } from "./command.ts";
import type { Described } from "./command-tree.ts";
import { COMMON_FLAGS, type Flag } from "./flags.ts";

/** The name of the page of a command: `waybill-verify-pin`. */
export function pageName(path: readonly string[]): string {
  return ["waybill", ...path].join("-");
}

/** A page for man(1), of `day` (2026-01-31 or ""), in the macros of man(7), which groff and mandoc both know. */
export function manPage({ path, command }: Described, version: string, day: string): string {
  const name = pageName(path);
  const lines = [
    `.TH ${name.toUpperCase().replaceAll("-", "\\-")} 1 "${day}" "waybill ${escaped(version)}" "waybill"`,
    ".SH NAME",
    `${escaped(name)} \\- ${escaped(command.meta.description)}`,
    ".SH SYNOPSIS",
    ...(isGroup(command) ? groupSynopsis(path) : commandSynopsis(path, command)),
    ...(isGroup(command) ? groupBody(path, command) : commandBody(command)),
    ".SH SEE ALSO",
    `.BR ${escaped(path.length === 0 ? "waybill-version" : pageName(path.slice(0, -1)))} (1)`,
  ];
  return `${lines.join("\n")}\n`;
}

/** `--key FILE`, `[--json]`, `[ARTIFACT]`: a flag or positional as a synopsis shows it. */
export function shownArgument(name: string, flag: Flag): string {
  const optional = flag.required !== true || flag.type === "boolean";
  const text = flag.type === "positional" ? name.toUpperCase() : shownFlag(name, flag);
  return `${optional ? `[${text}]` : text}${flag.repeat === true ? "…" : ""}`;
}

/** `-q, --quiet`, `--key FILE`, `--format raw|ssh`. */
export function shownFlag(name: string, flag: Flag, withAlias = false): string {
  const alias = withAlias && "alias" in flag && typeof flag.alias === "string" ? `-${flag.alias}, ` : "";
  return `${alias}--${name}${valueOf(flag)}`;
}

function valueOf(flag: Flag): string {
  if (flag.type === "boolean") return "";
  if (flag.type === "enum") return ` ${(flag.options ?? []).join("|")}`;
  return ` ${"valueHint" in flag && typeof flag.valueHint === "string" ? flag.valueHint : "VALUE"}`;
}

function groupSynopsis(path: readonly string[]): string[] {
  return [`.B ${escaped(["waybill", ...path].join(" "))}`, ".I COMMAND", "[arguments]"];
}

function commandSynopsis(path: readonly string[], command: Command): string[] {
  const shown = Object.entries(command.args).map(([name, flag]) => escaped(shownArgument(name, flag)));
  return [`.B ${escaped(["waybill", ...path].join(" "))}`, ...shown];
}

function groupBody(path: readonly string[], group: Group): string[] {
  const members = Object.entries(group.members).flatMap(([name, { description }]) => [
    ".TP",
    `.BR ${escaped(pageName([...path, name]))} (1)`,
    escaped(description),
  ]);
  const exits = Object.entries(EXIT).flatMap(([name, code]) => exitLines(name, code));
  return [".SH COMMANDS", ...members, ...(path.length === 0 ? [".SH EXIT STATUS", ...exits] : [])];
}

function commandBody(command: Command): string[] {
  const named = Object.entries(command.args);
  const positionals = named.filter(([, flag]) => flag.type === "positional");
  const flags = [...named.filter(([, flag]) => flag.type !== "positional"), ...Object.entries(COMMON_FLAGS)];
  return [
    ...(positionals.length === 0 ? [] : [".SH ARGUMENTS"]),
    ...positionals.flatMap(([name, flag]) => [".TP", `.I ${escaped(name.toUpperCase())}`, told(flag)]),
    ".SH OPTIONS",
    ...flags.flatMap(([name, flag]) => [".TP", `.B ${escaped(shownFlag(name, flag, true))}`, told(flag)]),
    ".SH EXIT STATUS",
    ...command.exits.flatMap((name) => exitLines(name, EXIT[name])),
    ".SH EXAMPLES",
    ".nf",
    ...command.examples.map(escaped),
    ".fi",
  ];
}

function exitLines(name: string, code: number): string[] {
  const meaning = Object.entries(EXIT_MEANING).find(([known]) => known === name)?.[1] ?? name;
  return [".TP", `.B ${code}`, escaped(meaning)];
}

function told(flag: Flag): string {
  return escaped(toldFlag(flag));
}

/** The description of a flag, with its default and whether it may repeat. */
export function toldFlag(flag: Flag): string {
  const fallback = flag.type === "boolean" || flag.default === undefined ? "" : ` (default ${flag.default})`;
  return `${flag.description ?? ""}${fallback}${flag.repeat === true ? "; may be given several times" : ""}`;
}

/** Text for troff: a backslash is one, a dash can be copied, and no line starts with a control character. */
function escaped(text: string): string {
  const inert = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...");
  return /^[.']/u.test(inert) ? `\\&${inert}` : inert;
}
