import { expect, test } from "bun:test";
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { tokensOf } from "../../src/cli/argument-tokens.ts";

const FLAGS = {
  template: { type: "string" },
  notes: { type: "string", alias: "n" },
  quiet: { type: "boolean", alias: "q" },
  verbose: { type: "boolean", alias: "v" },
} as const;

/** The runtime's own, which is held to be right. */
function reference(argv: readonly string[]): unknown[] {
  const options = {
    template: { type: "string", multiple: true },
    notes: { type: "string", short: "n", multiple: true },
    quiet: { type: "boolean", short: "q", multiple: true },
    verbose: { type: "boolean", short: "v", multiple: true },
  } as const;
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.flatMap((token): unknown[] => {
    if (token.kind === "option-terminator") return [];
    if (token.kind === "positional") return [{ kind: "positional", value: token.value }];
    const { name, rawName, value, inlineValue } = token;
    return [{ kind: "option", name, rawName, value, inline: inlineValue === true }];
  });
}

const WORDS =
  "--template --template=x --template= --notes -n -nx -n=x -qn -qnx -qv -qvx -vqn --quiet --quiet=1 -q -x -xq - -- --- --=x --=" +
  " --__proto__ --constructor=1 x = ---x -=";

test("words are split as the runtime's parser splits them", () => {
  const word = fc.oneof(
    fc.constantFrom("", ...WORDS.split(" ")),
    fc.string({ maxLength: 8 }),
    fc.string({ maxLength: 5 }).map((text) => `--${text}`),
    fc
      .string({ unit: fc.constantFrom("n", "q", "v", "x", "=", "-"), maxLength: 5 })
      .map((text) => `-${text}`),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      expect(tokensOf(argv, FLAGS) as unknown[]).toEqual(reference(argv));
    }),
    { numRuns: 20_000 },
  );
});
