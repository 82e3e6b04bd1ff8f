import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import type { Flags } from "../../src/cli/flags.ts";
import { readArguments } from "../../src/cli/strict-arguments.ts";

/** Keeps the literal types, as `defineCommand` does. */
function flags<const F extends Flags>(definition: F): F {
  return definition;
}

const DEFINITION = flags({
  context: { type: "positional", required: true },
  other: { type: "positional" },
  template: { type: "string", required: true },
  target: { type: "string", repeat: true },
  region: { type: "string", default: "everywhere" },
  notes: { type: "string", alias: "n" },
  format: { type: "enum", options: ["json", "text"] },
  strict: { type: "boolean" },
});

const BARE = {
  context: "ctx",
  other: undefined,
  template: "t",
  target: [],
  region: "everywhere",
  notes: undefined,
  format: undefined,
  strict: false,
};

function read(...argv: string[]): object {
  return { ...readArguments(argv, DEFINITION, "see: the help") };
}

function refusal(argv: readonly string[]): Failure | null {
  try {
    readArguments(argv, DEFINITION, "see: the help");
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

describe("taken", () => {
  const taken: [string[], object][] = [
    [["ctx", "--template", "t"], {}],
    [["--template", "t", "ctx"], {}],
    [["--template=t", "ctx"], {}],
    [["--template=a=b", "ctx"], { template: "a=b" }],
    [["--template=--dash", "ctx"], { template: "--dash" }],
    [["--template=-", "ctx"], { template: "-" }],
    [["--template", "-", "ctx"], { template: "-" }],
    [["--template", "t", "-"], { context: "-" }],
    [["--template", "t", "--", "--strict"], { context: "--strict" }],
    [["--template", "t", "--", "--"], { context: "--" }],
    [["--template", "t", "ctx", "--"], {}],
    [["--template", "t", "ctx", "second"], { other: "second" }],
    [["--template", "t", "ctx", "--target", "a", "--target=b"], { target: ["a", "b"] }],
    [["--template", "t", "ctx", "--target", "a", "--target", "a"], { target: ["a", "a"] }],
    [["--template", "t", "ctx", "--region", "here"], { region: "here" }],
    [["--template", "t", "ctx", "-n", "x"], { notes: "x" }],
    [["--template", "t", "ctx", "-nx"], { notes: "x" }],
    [["--template", "t", "ctx", "--format", "json"], { format: "json" }],
    [["--template", "t", "ctx", "--strict"], { strict: true }],
    // A switch takes no word after it: that word is an argument.
    [["--template", "t", "ctx", "--strict", "true"], { strict: true, other: "true" }],
    [["--template", " ", "ctx"], { template: " " }],
  ];
  test.each(taken)("%j", (argv, difference) => {
    expect(read(...argv)).toEqual({ ...BARE, ...difference });
  });

  test("values have no prototype to fall back on", () => {
    const values = readArguments(["ctx", "--template", "t"], DEFINITION, "");
    expect(Object.getPrototypeOf(values)).toBe(null);
  });
});

describe("refused", () => {
  const refused: [string[], FailureCode, string][] = [
    [[], "missing_argument", "CONTEXT is missing"],
    [["", "--template", "t"], "missing_argument", "CONTEXT is empty"],
    [["--template", "t", "--", ""], "missing_argument", "CONTEXT is empty"],
    [["ctx"], "flag_missing", "--template is missing"],
    [["ctx", "--template"], "flag_without_value", "--template needs a value"],
    [["ctx", "--template="], "flag_without_value", "--template needs a value"],
    [["ctx", "--template", ""], "flag_without_value", "--template needs a value"],
    [["ctx", "--template", "--strict"], "flag_without_value", "--template needs a value"],
    [["ctx", "--template", "-x"], "flag_without_value", "--template needs a value"],
    [["ctx", "--template", "--"], "flag_without_value", "--template needs a value"],
    [["ctx", "--template", "-1"], "flag_without_value", "--template needs a value"],
    [["ctx", "--template", "a", "--template", "a"], "flag_repeated", "--template was given more than once"],
    [["ctx", "--template", "a", "-na", "--notes=b"], "flag_repeated", "--notes was given more than once"],
    [
      ["ctx", "--template", "a", "--strict", "--strict"],
      "flag_repeated",
      "--strict was given more than once",
    ],
    [["ctx", "--template", "a", "--json", "--json"], "flag_repeated", "--json was given more than once"],
    [["ctx", "--template", "a", "--strict=true"], "invalid_value", '--strict takes no value, found "true"'],
    [["ctx", "--template", "a", "--strict="], "invalid_value", '--strict takes no value, found ""'],
    [
      ["ctx", "--template", "a", "--format", "xml"],
      "invalid_value",
      '--format is "xml"; wanted one of json, text',
    ],
    [["ctx", "--template", "a", "--format", "toString"], "invalid_value", ""],
    [["ctx", "--template", "a", "b", "c"], "unexpected_argument", 'unexpected argument "c"'],
    [
      ["ctx", "--template", "a", "--", "b", "--strict"],
      "unexpected_argument",
      'unexpected argument "--strict"',
    ],
    [["ctx", "--template", "a", "--bogus"], "unknown_flag", 'unknown flag "--bogus"'],
    [["ctx", "--template", "a", "--bogus=1"], "unknown_flag", 'unknown flag "--bogus"'],
    [["ctx", "--template", "a", "--context", "b"], "unknown_flag", 'unknown flag "--context"'],
    [["ctx", "--template", "a", "--no-strict"], "unknown_flag", 'unknown flag "--no-strict"'],
    [["ctx", "--template", "a", "--Strict"], "unknown_flag", 'unknown flag "--Strict"'],
    [["ctx", "--template", "a", "--strict\u0000"], "unknown_flag", 'unknown flag "--strict"'],
    [["ctx", "--template", "a", "---strict"], "unknown_flag", 'unknown flag "---strict"'],
    [["ctx", "--template", "a", "--=x"], "unknown_flag", ""],
    [["ctx", "--template", "a", "-s"], "unknown_flag", 'unknown flag "-s"'],
    [["ctx", "--template", "a", "-qs"], "unknown_flag", 'unknown flag "-s"'],
    [["ctx", "--template", "a", "--toString"], "unknown_flag", 'unknown flag "--toString"'],
    [["ctx", "--template", "a", "--constructor=1"], "unknown_flag", 'unknown flag "--constructor"'],
    [["ctx", "--template", "a", "--__proto__"], "unknown_flag", 'unknown flag "--__proto__"'],
    [["ctx", "--template", "a", "--__proto__=1"], "unknown_flag", 'unknown flag "--__proto__"'],
  ];
  test.each(refused)("%j", (argv, code, message) => {
    const failure = refusal(argv);
    expect(failure?.code).toBe(code);
    if (message !== "") expect(failure?.message).toBe(message);
    expect(failure?.exitCode).toBe(2);
  });

  const hints: [string, string][] = [
    ["--templat", "did you mean --template?"],
    ["--regoin", "did you mean --region?"],
    ["--jsno", "did you mean --json?"],
    ["--frobnicate", "see: the help"],
  ];
  test.each(hints)("%s comes with a hint", (flag, hint) => {
    expect(refusal(["ctx", flag, "x"])?.hint).toBe(hint);
  });
});

test("a lone dash is no file, but where the definition takes it for standard input", () => {
  const definition = flags({
    out: { type: "string", valueHint: "FILE" },
    data: { type: "string", valueHint: "DIR" },
    key: { type: "string", valueHint: "FILE|-" },
    notes: { type: "string", valueHint: "TEXT" },
  });
  const values = (...argv: string[]): object => ({ ...readArguments(argv, definition, "") });
  expect(values("--key", "-", "--notes=-", "--out=./-")).toMatchObject({ key: "-", notes: "-", out: "./-" });
  for (const argv of [["--out", "-"], ["--out=-"], ["--data", "-"]]) {
    expect(() => values(...argv)).toThrow(expect.objectContaining({ code: "invalid_value", exitCode: 2 }));
  }
});

describe("a last argument that takes the rest", () => {
  const REST = flags({
    id: { type: "positional", required: true },
    words: { type: "positional", rest: true },
  });
  test.each([
    [["a"], []],
    [["a", "b"], ["b"]],
    [
      ["a", "--", "-x", "", "b"],
      ["-x", "", "b"],
    ],
  ])("of %j is %j", (argv, words) => {
    expect({ ...readArguments(argv, REST, "") }).toEqual({ id: "a", words });
  });
});
