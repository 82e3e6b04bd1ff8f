import { optionNamed, tokensOf } from "./argument-tokens.ts";
import { isGroup, type Command, type Group, type Member } from "./command.ts";
import { COMMON_FLAGS, type Flag, type Flags } from "./flags.ts";
import { positionalsOf } from "./strict-arguments.ts";

export type Candidate = { readonly value: string; readonly description: string };

/** What only the machine knows: the names that a folder, a configuration or a table holds now. */
export type Lookup = "files" | "folders" | "environments" | "add-ons" | "schemas" | "shells" | "pages";

/** What may stand where the cursor is: these values, or what the machine has of a kind, after `prefix`. */
export type Completion =
  | { readonly kind: "values"; readonly candidates: readonly Candidate[] }
  | {
      readonly kind: "lookup";
      readonly lookup: Lookup;
      /** What stands before the value in the same word: `--key=`. */
      readonly prefix: string;
      /** Values of the flags before the cursor, for looking up in what they name. */
      readonly flags: Readonly<Record<string, string>>;
    };

const NOTHING: Completion = { kind: "values", candidates: [] };

/** The words after `waybill`; the last one is being written and may be empty. */
export async function complete(root: Group, words: readonly string[]): Promise<Completion> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? "";
  let command: Command | Group = root;
  let path: readonly string[] = [];
  let index = 0;
  while (isGroup(command)) {
    const word: string | undefined = before[index];
    if (word === undefined && !current.startsWith("-")) return members(command, current);
    const named: boolean = word !== undefined && !word.startsWith("-");
    const name: string | undefined = named ? word : command.default;
    const member: Member | undefined =
      name !== undefined && Object.hasOwn(command.members, name) ? command.members[name] : undefined;
    if (name === undefined || member === undefined)
      return word === undefined ? flagNames({}, new Set(), current) : NOTHING;
    if (named) index++;
    path = [...path, name];
    command = await member.load();
  }
  return completeArguments(command.args, before.slice(index), current, path);
}

/** Completes what stands after the name of a command, by the definition of that command. */
export function completeArguments(
  definition: Flags,
  before: readonly string[],
  current: string,
  path: readonly string[] = [],
): Completion {
  const flags: Flags = { ...definition, ...COMMON_FLAGS };
  const values: Record<string, string> = Object.create(null);
  const used = new Set<string>();
  let positionals = 0;
  const tokens = tokensOf(before, flags);
  for (const token of tokens) {
    if (token.kind === "positional") positionals++;
    else {
      used.add(token.name);
      if (token.value !== undefined) values[token.name] = token.value;
    }
  }
  const last = tokens.at(-1);
  const ended = before.includes("--");
  // The value of a flag in a word of its own: the splitting found the flag at the end and nothing after it.
  if (!ended && last?.kind === "option" && !last.inline && last.value === undefined) {
    const flag = optionNamed(flags, last.name);
    if (flag !== undefined && flag.type !== "boolean")
      return valuesOf(last.name, flag, "", current, values, path);
  }
  if (!ended && current.startsWith("-")) {
    const sign = current.indexOf("=");
    const name = sign === -1 ? "" : current.slice(2, sign);
    const flag = optionNamed(flags, name);
    if (sign === -1) return flagNames(definition, used, current);
    if (flag === undefined || flag.type === "boolean") return NOTHING;
    return valuesOf(name, flag, current.slice(0, sign + 1), current.slice(sign + 1), values, path);
  }
  const slot = positionalsOf(flags)[positionals] ?? "";
  const flag = Object.hasOwn(flags, slot) ? flags[slot] : undefined;
  return flag === undefined ? NOTHING : valuesOf(slot, flag, "", current, values, path);
}

function members(group: Group, current: string): Completion {
  const candidates = Object.entries(group.members)
    .filter(([name]) => name.startsWith(current))
    .map(([name, { description }]) => ({ value: name, description }));
  return { kind: "values", candidates };
}

function flagNames(definition: Flags, used: ReadonlySet<string>, current: string): Completion {
  const candidates = Object.entries({ ...definition, ...COMMON_FLAGS })
    .filter(([name, flag]) => flag.type !== "positional" && (flag.repeat === true || !used.has(name)))
    .map(([name, flag]) => ({ value: `--${name}`, description: flag.description ?? "" }))
    .filter(({ value }) => value.startsWith(current));
  return { kind: "values", candidates };
}

function valuesOf(
  name: string,
  flag: Flag,
  prefix: string,
  current: string,
  flags: Readonly<Record<string, string>>,
  path: readonly string[],
): Completion {
  if (flag.type === "enum") {
    const candidates = (flag.options ?? [])
      .filter((option) => option.startsWith(current))
      .map((option) => ({ value: `${prefix}${option}`, description: "" }));
    return { kind: "values", candidates };
  }
  const lookup = lookupOf(name, flag, path);
  return lookup === null ? NOTHING : { kind: "lookup", lookup, prefix, flags };
}

/** Positionals that are no files, by the command they belong to. */
const POSITIONALS: Readonly<Record<string, Lookup>> = {
  "completions shell": "shells",
  "schema name": "schemas",
  "man page": "pages",
  "capture context": "folders",
};

function lookupOf(name: string, flag: Flag, path: readonly string[]): Lookup | null {
  if (flag.type === "positional") {
    const own = POSITIONALS[`${path.join(" ")} ${name}`];
    if (own !== undefined) return own;
    if (name === "id") return path.includes("addon") ? "add-ons" : null;
    return name === "name" ? null : "files";
  }
  const hint = "valueHint" in flag && typeof flag.valueHint === "string" ? flag.valueHint : "";
  if (name === "env" && hint === "NAME") return "environments";
  if (/\bDIR\b/u.test(hint)) return /\bFILE\b/u.test(hint) ? "files" : "folders";
  return /^(?:FILE|ROOT)\b/u.test(hint) ? "files" : null;
}
