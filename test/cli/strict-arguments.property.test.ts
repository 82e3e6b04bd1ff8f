import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { EXIT } from "../../src/base/exit-codes.ts";
import { Failure } from "../../src/base/failure.ts";
import type { Flags } from "../../src/cli/flags.ts";
import { readArguments } from "../../src/cli/strict-arguments.ts";

/** Keeps the literal types, as `defineCommand` does. */
function flags<const F extends Flags>(definition: F): F {
  return definition;
}

const DEFINITION = flags({
  context: { type: "positional" },
  template: { type: "string", required: true },
  target: { type: "string", repeat: true },
  notes: { type: "string", alias: "n" },
  format: { type: "enum", options: ["json", "text"] },
  strict: { type: "boolean" },
});

const KNOWN =
  "--template --template=x --target --target=--x --notes -n -nx --format json --format=xml --strict --strict=1 " +
  "--json -q -vh -- - --help --__proto__ --constructor=1 x";

const word = fc.oneof(
  fc.constantFrom("", ...KNOWN.split(" ")),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ maxLength: 12 }).map((text) => `--${text}`),
  fc.string({ maxLength: 6 }).map((text) => `-${text}`),
);

test("any command line yields values of the declared kinds, or a usage failure", () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
      try {
        const values = readArguments(argv, DEFINITION, "see: the help");
        expect(typeof values.template).toBe("string");
        expect(values.template).not.toBe("");
        expect(values.target.every((target) => typeof target === "string" && target !== "")).toBe(true);
        expect(["undefined", "string"]).toContain(typeof values.notes);
        expect([undefined, "json", "text"]).toContain(values.format);
        expect(typeof values.strict).toBe("boolean");
        expect(["undefined", "string"]).toContain(typeof values.context);
        expect(values.context).not.toBe("");
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        expect(error.exitCode).toBe(EXIT.usage);
        expect(error.message).not.toMatch(/[\u0000-\u001f]/u);
      }
    }),
    { numRuns: 2000 },
  );
});

test("written with equals signs, every value comes back as it was", () => {
  const value = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(value, fc.array(value, { maxLength: 4 }), fc.option(value), (template, targets, context) => {
      const flags = [`--template=${template}`, ...targets.map((target) => `--target=${target}`)];
      const argv = context === null ? flags : [...flags, "--", context];
      const values = readArguments(argv, DEFINITION, "");
      expect(values.template).toBe(template);
      expect([...values.target]).toEqual(targets);
      expect(values.context).toBe(context ?? undefined);
    }),
  );
});
