import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { optionNamed, tokensOf } from "./argument-tokens.ts";
import { COMMON_FLAGS, type Flag, type Flags, type Values } from "./flags.ts";
import { nearest } from "../base/nearest.ts";

/**
 * In place of citty's own parser, which takes unknown flags, lost values and repeats in silence. Reads
 * argv against a command's definition and refuses everything that the definition does not say. Throws Failure
 * with a usage code; nothing has been opened by then.
 */
export function readArguments<F extends Flags>(
  argv: readonly string[],
  definition: F,
  usage: string,
): Values<F> {
  const flags: Flags = { ...definition, ...COMMON_FLAGS };
  const positionals = positionalsOf(flags);
  const values: Found = Object.create(null);
  const last = positionals.length - 1;
  const rest = flags[positionals[last] ?? ""]?.rest === true ? positionals[last] : undefined;
  let position = 0;

  for (const token of tokensOf(argv, flags)) {
    if (token.kind === "positional") {
      const slot = positionals[position++] ?? rest;
      if (slot === undefined) {
        throw new Failure("unexpected_argument", `unexpected argument ${quoted(token.value)}`, {
          hint: usage,
        });
      }
      if (slot === rest) {
        // They belong to another program, to which an empty word means something.
        const before = values[slot];
        values[slot] = [...(Array.isArray(before) ? before : []), token.value];
        continue;
      }
      if (token.value === "") {
        // `capture "$DIR"` with DIR unset must not mean the current folder.
        throw new Failure("missing_argument", `${slot.toUpperCase()} is empty`, { hint: usage });
      }
      values[slot] = token.value;
      continue;
    }
    const flag = optionNamed(flags, token.name);
    if (flag === undefined) throw unknownFlag(token.rawName, flags, usage);
    takeFlag(values, token.name, flag, token.value, token.inline);
  }

  fillIn(values, definition, usage);
  // The loop above gave every name of the definition a value of the kind that its flag declares.
  return values as Values<F>; // oxlint-disable-line typescript/no-unsafe-type-assertion
}

type Found = Record<string, string | boolean | string[] | undefined>;

/** The names of the positionals in their order. */
// One plain loop over all flags, here and in `fillIn`: a call for each of some fifty makes the runtime compile it, and
// that costs a short run more than all of its arguments.
export function positionalsOf(flags: Flags): readonly string[] {
  const positionals: string[] = [];
  for (const name in flags) if (flags[name]?.type === "positional") positionals.push(name);
  return positionals;
}

function takeFlag(values: Found, name: string, flag: Flag, value: string | undefined, inline: boolean): void {
  if (flag.type === "boolean") {
    if (value !== undefined) {
      throw new Failure("invalid_value", `--${name} takes no value, found ${quoted(value)}`, {
        hint: `write --${name} alone, or leave it out`,
      });
    }
    if (values[name] === true) throw repeated(name);
    values[name] = true;
    return;
  }
  // `--template --digest x` must not make "--digest" a template; a lone "-" is standard input.
  if (value === undefined || value === "" || (!inline && value.startsWith("-") && value !== "-")) {
    throw new Failure("flag_without_value", `--${name} needs a value`, {
      hint: `write --${name}=VALUE when the value starts with a dash; an empty value is refused`,
    });
  }
  if (flag.type === "enum" && !(flag.options ?? []).includes(value)) {
    throw new Failure(
      "invalid_value",
      `--${name} is ${quoted(value)}; wanted one of ${(flag.options ?? []).join(", ")}`,
    );
  }
  // Only where the definition says so; elsewhere `--out -` would leave a file of that name behind.
  if (value === "-" && takesPathOnly(flag)) {
    throw new Failure("invalid_value", `--${name} is "-"; wanted the name of a file or folder`, {
      hint: "one that is really called so is ./-",
    });
  }
  const before = values[name];
  if (flag.repeat === true) values[name] = Array.isArray(before) ? [...before, value] : [value];
  else if (before === undefined) values[name] = value;
  else throw repeated(name);
}

/** `FILE`, but not `FILE|-`: the hint of a flag says what it takes. */
function takesPathOnly(flag: Flag): boolean {
  const hint = "valueHint" in flag ? (flag.valueHint ?? "") : "";
  return /\b(?:FILE|DIR|PATH|ROOT)\b/u.test(hint) && !hint.split("|").includes("-");
}

function fillIn(values: Found, definition: Flags, usage: string): void {
  for (const name in definition) {
    const flag = definition[name];
    if (flag === undefined || values[name] !== undefined) continue;
    if (flag.type === "boolean") values[name] = false;
    else if (flag.repeat === true || flag.rest === true) values[name] = [];
    else if (flag.default !== undefined) values[name] = String(flag.default);
    else if (flag.required === true) {
      throw flag.type === "positional"
        ? new Failure("missing_argument", `${name.toUpperCase()} is missing`, { hint: usage })
        : new Failure("flag_missing", `--${name} is missing`, { hint: usage });
    }
  }
}

function repeated(name: string): Failure {
  return new Failure("flag_repeated", `--${name} was given more than once`, { hint: "give it once" });
}

function unknownFlag(rawName: string, flags: Flags, usage: string): Failure {
  const close = nearest(rawName.replace(/^-+/u, ""), Object.keys(flags));
  return new Failure("unknown_flag", `unknown flag ${quoted(rawName)}`, {
    hint: close === null ? usage : `did you mean --${close}?`,
  });
}
