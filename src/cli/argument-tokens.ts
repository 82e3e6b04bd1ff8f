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

/** A flag as the splitting of words needs to know it. */
export type KnownOption = { readonly takesValue: boolean; readonly short?: string };

/**
 * Splits a command line as POSIX and GNU do: `--`, `--name value`, `--name=value`, `-n value`, `-nvalue`, `-abc`.
 * Nothing is refused here. By hand, because loading the runtime's own costs more than all of the rest of a start.
 */
export function tokensOf(
  argv: readonly string[],
  options: Readonly<Record<string, KnownOption>>,
): ArgumentToken[] {
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
      const takes = Object.hasOwn(options, name) && options[name]?.takesValue === true;
      const value = inline ? word.slice(cut + 1) : takes ? words.shift() : undefined;
      tokens.push({ kind: "option", name, rawName, value, inline });
    } else if (word.startsWith("-") && word.length > 1) tokens.push(...cluster(word, words, options));
    else tokens.push({ kind: "positional", value: word });
  }
  return tokens;
}

/** `-abc` is `-a -b -c`; the first letter that takes a value takes the rest of the word, or the next word. */
function cluster(
  word: string,
  words: string[],
  options: Readonly<Record<string, KnownOption>>,
): ArgumentToken[] {
  const tokens: ArgumentToken[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    const known = Object.entries(options).find(([, { short }]) => short === letter);
    const option = { kind: "option", name: known?.[0] ?? letter, rawName: `-${letter}` } as const;
    if (known?.[1].takesValue !== true) {
      tokens.push({ ...option, value: undefined, inline: false });
      continue;
    }
    const inline = at + 1 < word.length;
    tokens.push({ ...option, value: inline ? word.slice(at + 1) : words.shift(), inline });
    break;
  }
  return tokens;
}
