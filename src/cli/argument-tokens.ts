import type { Flag, Flags } from "./flags.ts";

/** One thing that a word or two of the command line say. */
export type ArgumentToken =
  | { readonly kind: "positional"; readonly value: string }
  | {
      readonly kind: "option";
      /** The long name; the letter itself for a short one that nobody knows. */
      readonly name: string;
      readonly rawName: string;
      readonly value: string | undefined;
      /** Whether the value stood in the same word. */
      readonly inline: boolean;
    };

/** The flag of this name; undefined for none, and for a positional, which has no dashes. */
export function optionNamed(flags: Flags, name: string): Flag | undefined {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  return flag?.type === "positional" ? undefined : flag;
}

/**
 * Splits a command line as POSIX and GNU do: `--`, `--name value`, `--name=value`, `-n value`, `-nvalue`, `-abc`.
 * Nothing is refused here. By hand, because loading the runtime's own costs more than all of the rest of a start.
 */
export function tokensOf(argv: readonly string[], flags: Flags): ArgumentToken[] {
  const tokens: ArgumentToken[] = [];
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--") {
      tokens.push(...words.map((value): ArgumentToken => ({ kind: "positional", value })));
      break;
    }
    if (word.startsWith("--")) {
      // `--=x` has no name before its sign: all of it is the name.
      const sign = word.indexOf("=");
      const cut = sign > 2 ? sign : -1;
      const rawName = cut === -1 ? word : word.slice(0, cut);
      const name = rawName.slice(2);
      const inline = cut !== -1;
      const value = inline
        ? word.slice(cut + 1)
        : takesValue(optionNamed(flags, name))
          ? words.shift()
          : undefined;
      tokens.push({ kind: "option", name, rawName, value, inline });
    } else if (word.startsWith("-") && word.length > 1) tokens.push(...cluster(word, words, flags));
    else tokens.push({ kind: "positional", value: word });
  }
  return tokens;
}

/** `-abc` is `-a -b -c`; the first letter that takes a value takes the rest of the word, or the next word. */
function cluster(word: string, words: string[], flags: Flags): ArgumentToken[] {
  const tokens: ArgumentToken[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    const known = Object.keys(flags).find((name) => shortOf(optionNamed(flags, name)) === letter);
    const option = { kind: "option", name: known ?? letter, rawName: `-${letter}` } as const;
    if (!takesValue(known === undefined ? undefined : flags[known])) {
      tokens.push({ ...option, value: undefined, inline: false });
      continue;
    }
    const inline = at + 1 < word.length;
    tokens.push({ ...option, value: inline ? word.slice(at + 1) : words.shift(), inline });
    break;
  }
  return tokens;
}

function takesValue(flag: Flag | undefined): boolean {
  return flag !== undefined && flag.type !== "boolean";
}

function shortOf(flag: Flag | undefined): string | undefined {
  return flag !== undefined && "alias" in flag && typeof flag.alias === "string" ? flag.alias : undefined;
}
