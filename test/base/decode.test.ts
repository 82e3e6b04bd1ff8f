import { describe, expect, test } from "bun:test";
import * as d from "../../src/base/decode.ts";
import type { Decoder } from "../../src/base/decode.ts";
import { parseJson } from "../../src/base/json.ts";

function decoded(decoder: Decoder<unknown>, text: string): unknown {
  const result = d.decode(decoder, parseJson(text, { what: "the test", code: "input_invalid" }));
  return result.ok ? result.value : result.problems;
}

function isName(text: string): text is `name-${string}` {
  return text.startsWith("name-");
}

const half = d.parsed("halves", (text) => (text.endsWith("/2") ? Number(text.slice(0, -2)) - 2 : null));

const pin = d.object({
  version: d.integer(),
  template: d.string("a template", (text) => text !== ""),
  notes: d.optional(d.string()),
});

describe("taken", () => {
  const taken: [string, Decoder<unknown>, string, unknown][] = [
    ["a string", d.string(), '"a"', "a"],
    ["an empty string", d.string(), '""', ""],
    ["a narrowed string", d.narrowed("a name", isName), '"name-a"', "name-a"],
    ["false", d.boolean(), "false", false],
    ["zero", d.integer(), "0", 0],
    ["the largest integer", d.integer(), "9007199254740991", 9_007_199_254_740_991],
    ["1.0, which is 1", d.integer(), "1.0", 1],
    ["what a text means", half, '"2/2"', 0],
    ["one as a positive number", d.positive(), "1", 1],
    ["null as anything", d.anything(), "null", null],
    ["an empty list", d.list(d.string(), 3), "[]", []],
    ["a list at its ceiling", d.list(d.string(), 2), '["a","b"]', ["a", "b"]],
    ["a record", d.record(d.integer()), '{"a":1,"b":2}', { a: 1, b: 2 }],
    ["an object", pin, '{"version":1,"template":"t"}', { version: 1, template: "t" }],
    [
      "an optional member",
      pin,
      '{"version":1,"template":"t","notes":"n"}',
      { version: 1, template: "t", notes: "n" },
    ],
    ["a foreign member is ignored", pin, '{"version":1,"template":"t","x":1}', { version: 1, template: "t" }],
  ];
  test.each(taken)("%s", (_what, decoder, text, wanted) => {
    expect(decoded(decoder, text)).toEqual(wanted);
  });

  test("`__proto__` in a record is a name like any other", () => {
    const value = decoded(d.record(d.integer()), '{"__proto__":1}');
    expect(Object.keys(Object(value))).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(null);
  });
});

describe("refused, with the path of each member", () => {
  const refused: [string, Decoder<unknown>, string, string[]][] = [
    ["a number for a string", d.string(), "1", ["the document is 1; wanted a string"]],
    [
      "a string that is not accepted",
      d.object({ a: d.string("a word", () => false) }),
      '{"a":"x"}',
      ['a is "x"; wanted a word'],
    ],
    ["a string of another type", d.narrowed("a name", isName), '"x"', ['the document is "x"; wanted a name']],
    ["null for a string", d.string(), "null", ["the document is null; wanted a string"]],
    ["text for a boolean", d.boolean(), '"true"', ['the document is "true"; wanted true or false']],
    ["1 for a boolean", d.boolean(), "1", ["the document is 1; wanted true or false"]],
    ["a text that means nothing", half, '"6"', ['the document is "6"; wanted halves']],
    ["a number for a text that means something", half, "6", ["the document is 6; wanted halves"]],
    ["zero for a positive number", d.positive(), "0", ["the document is 0; wanted a whole number from 1"]],
    ["half of one", d.positive(), "0.5", ["the document is 0.5; wanted a whole number"]],
    ["a fraction", d.integer(), "1.5", ["the document is 1.5; wanted a whole number"]],
    [
      "an integer beyond exact doubles",
      d.integer(),
      "9007199254740993",
      ["the document is 9007199254740992; wanted a whole number"],
    ],
    ["text for an integer", d.integer(), '"1"', ['the document is "1"; wanted a whole number']],
    ["an object for a list", d.list(d.string(), 3), "{}", ["the document is an object; wanted a list"]],
    [
      "a list above its ceiling",
      d.list(d.string(), 1),
      '["a","b"]',
      ["the document is a list; wanted at most 1 entries, found 2"],
    ],
    [
      "entries",
      d.object({ a: d.list(d.integer(), 3) }),
      '{"a":[1,"x",null]}',
      ['a[1] is "x"; wanted a whole number', "a[2] is null; wanted a whole number"],
    ],
    ["a list for an object", pin, "[]", ["the document is a list; wanted an object"]],
    ["a missing member", pin, '{"version":1}', ["template is missing; wanted a template"]],
    [
      "every member at once",
      pin,
      '{"version":"1","template":"","notes":3}',
      [
        'version is "1"; wanted a whole number',
        'template is ""; wanted a template',
        "notes is 3; wanted a string",
      ],
    ],
    [
      "null for an optional member",
      pin,
      '{"version":1,"template":"t","notes":null}',
      ["notes is null; wanted a string"],
    ],
    [
      "a foreign member, where none may be",
      d.object({ a: d.integer() }, "refused"),
      '{"a":1,"b":2}',
      ["b is not a known member"],
    ],
    [
      "a foreign member deep inside",
      d.object({ a: d.object({}, "refused") }),
      '{"a":{"toString":1}}',
      ["a.toString is not a known member"],
    ],
    [
      "a foreign `__proto__`",
      d.object({}, "refused"),
      '{"__proto__":1}',
      ["__proto__ is not a known member"],
    ],
    ["a member of a record", d.record(d.integer()), '{"a b":"x"}', ['["a b"] is "x"; wanted a whole number']],
    [
      "a member that every object has",
      d.object({ toString: d.string() }),
      "{}",
      ["toString is missing; wanted a string"],
    ],
    [
      "deep paths",
      d.object({ a: d.list(d.object({ b: d.boolean() }), 9) }),
      '{"a":[{"b":true},{}]}',
      ["a[1].b is missing; wanted true or false"],
    ],
  ];
  test.each(refused)("%s", (_what, decoder, text, problems) => {
    expect(decoded(decoder, text)).toEqual(problems);
  });

  test("a member that every object has, of an object that did not come from our reader", () => {
    expect(d.decode(d.object({ toString: d.anything() }), {})).toEqual({
      ok: false,
      problems: ["toString is missing; wanted a value"],
    });
  });

  test("hostile values and names come back inert and short", () => {
    const problems = decoded(
      d.record(d.integer()),
      JSON.stringify({ "\n::error::a": `\u001b[31m${"x".repeat(100)}` }),
    );
    expect(problems).toEqual([`[": :error::a"] is "[31m${"x".repeat(56)}…"; wanted a whole number`]);
    const foreign = decoded(
      d.object({}, "refused"),
      JSON.stringify({ [`\n::error::${"x".repeat(100)}`]: 1 }),
    );
    expect(foreign).toEqual([`: :error::${"x".repeat(50)}… is not a known member`]);
  });
});

describe("a document that is wrong throughout", () => {
  const many = Array.from({ length: 100_000 }, (_, index) => index);
  const cases: [string, Decoder<unknown>, unknown][] = [
    ["a list", d.list(d.string(), 1_000_000), many],
    ["a record", d.record(d.string()), Object.fromEntries(many.map((index) => [`n${index}`, index]))],
    ["foreign members", d.object({}, "refused"), Object.fromEntries(many.map((index) => [`n${index}`, 1]))],
  ];
  test.each(cases)("%s is left after ten problems", (_what, decoder, value) => {
    expect(decoded(decoder, JSON.stringify(value))).toHaveLength(10);
  });

  test("each list has its own ten", () => {
    const both = d.object({ a: d.list(d.string(), 1_000), b: d.list(d.string(), 1_000) });
    const value = { a: many.slice(0, 100), b: [...many.slice(0, 3), "x"] };
    expect(decoded(both, JSON.stringify(value))).toHaveLength(13);
  });
});
