import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { parseJson, type JsonValue } from "../../src/base/json.ts";
import { LIMITS } from "../../src/base/limits.ts";

const SOURCE = { what: "the test", code: "input_invalid" } as const;

function parse(input: string | Uint8Array): JsonValue {
  return parseJson(input, SOURCE);
}

function messageOf(input: string | Uint8Array, maxBytes?: number): string {
  try {
    parseJson(input, maxBytes === undefined ? SOURCE : { ...SOURCE, maxBytes });
    return "";
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.code).toBe("input_invalid");
    return error.message;
  }
}

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

describe("taken", () => {
  const taken: [string, JsonValue][] = [
    ["null", null],
    [" \t\r\n true \n", true],
    ["false", false],
    ["0", 0],
    ["-0", -0],
    ["-0.5e-3", -0.0005],
    ["1E+2", 100],
    ["1e308", 1e308],
    ["1e-400", 0],
    ["12345678901234567890", 12345678901234567000],
    ['""', ""],
    [String.raw`"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"`, '"\\/\b\f\n\r\té😀'],
    ['"é😀\u2028\u007f"', "é😀\u2028\u007f"],
    ["[]", []],
    ["[ 1 , [ ] , { } ]", [1, [], {}]],
    ["{}", {}],
    ['{ "a" : 1 , "b" : { "a" : 2 } }', { a: 1, b: { a: 2 } }],
    ['{"": 1}', { "": 1 }],
    ['{"a": 1, "A": 2, "\u00e9": 3, "e\u0301": 4}', { a: 1, A: 2, "\u00e9": 3, "e\u0301": 4 }],
    [
      '{"toString": 1, "constructor": 2, "hasOwnProperty": 3}',
      { toString: 1, constructor: 2, hasOwnProperty: 3 },
    ],
    [nested(LIMITS.jsonDepth), JSON.parse(nested(LIMITS.jsonDepth))],
  ];
  test.each(taken)("%j", (text, wanted) => {
    expect(parse(text)).toEqual(wanted);
    expect(parse(new TextEncoder().encode(text))).toEqual(wanted);
  });

  test("`__proto__` is a name like any other", () => {
    const found = parse('{"__proto__": {"admin": true}}');
    expect(Object.getPrototypeOf(found)).toBe(null);
    expect(Object.keys(found ?? {})).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  test("one byte-order mark before the document, in bytes", () => {
    expect(parse(bytes(0xef, 0xbb, 0xbf, 0x31))).toBe(1);
  });

  test("a string of many megabytes, plain and escaped", () => {
    const long = "a".repeat(5_000_000);
    const escaped = "\n".repeat(2_000_000);
    const document = { long, escaped };
    // Not toEqual, which would print them.
    expect(Bun.deepEquals({ ...Object(parse(JSON.stringify(document))) }, document)).toBe(true);
  });

  test("a list of a hundred thousand objects", () => {
    const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, name: `row ${id}` }));
    expect(JSON.stringify(parse(JSON.stringify(rows))) === JSON.stringify(rows)).toBe(true);
  });
});

describe("refused", () => {
  const refused: [string, string, string][] = [
    ["nothing", "", "the text ends early at character 0"],
    ["white space alone", " \n", "the text ends early at character 2"],
    ["two values", "1 2", "more text after the value at character 2"],
    ["a comma after the value", "{},", "more text after the value at character 2"],
    ["a comment", "1 // one", "more text after the value at character 2"],
    ["a NUL after the value", "1\u0000", "more text after the value at character 1"],
    ["a byte-order mark in text", "\ufeff1", "no JSON value at character 0"],
    ["a no-break space", "\u00a01", "no JSON value at character 0"],
    ["a duplicate name", '{"a":1,"a":2}', 'a second member "a" at character 10'],
    ["a duplicate name, written otherwise", '{"a":1,"\\u0061":2}', 'a second member "a" at character 15'],
    [
      "a duplicate `__proto__`",
      '{"__proto__":1,"__proto__":2}',
      'a second member "__proto__" at character 26',
    ],
    ["a duplicate deep inside", '[{"a":{"b":1,"b":1}}]', 'a second member "b" at character 16'],
    ["a trailing comma in a list", "[1,]", "no JSON value at character 3"],
    ["a trailing comma in an object", '{"a":1,}', "no member name at character 7"],
    ["a comma alone", "[,]", "no JSON value at character 1"],
    ["two commas", "[1,,2]", "no JSON value at character 3"],
    ["no comma", "[1 2]", "no comma or closing bracket at character 3"],
    ["no colon", '{"a" 1}', "no colon after a member name at character 5"],
    ["a bare name", "{a:1}", "no member name at character 1"],
    ["a name that is a number", "{1:1}", "no member name at character 1"],
    ["single quotes", "'a'", "no JSON value at character 0"],
    ["an open list", "[1", "no comma or closing bracket at character 2"],
    ["an open object", '{"a":1', "no comma or closing brace at character 6"],
    ["the wrong bracket", '{"a":1]', "no comma or closing brace at character 6"],
    ["an open string", '"a', "a broken string at character 0"],
    ["a raw line break in a string", '"a\nb"', "a broken string at character 0"],
    ["a raw tab in a string", '"a\tb"', "a broken string at character 0"],
    ["an escape that does not exist", String.raw`"\x41"`, "a broken string at character 0"],
    ["a short unicode escape", String.raw`"\u12"`, "a broken string at character 0"],
    ["an escape at the end", String.raw`"\"`, "a broken string at character 0"],
    [
      "half a surrogate pair, escaped",
      String.raw`"\ud800"`,
      "half a surrogate pair in a string at character 8",
    ],
    ["the other half", String.raw`"\udc00x"`, "half a surrogate pair in a string at character 9"],
    [
      "the halves in the wrong order",
      String.raw`"\udc00\ud800"`,
      "half a surrogate pair in a string at character 14",
    ],
    ["half a surrogate pair, raw", '"\ud800"', "half a surrogate pair in a string at character 3"],
    [
      "half a surrogate pair in a name",
      String.raw`{"\ud800":1}`,
      "half a surrogate pair in a string at character 9",
    ],
    ["a number without a first digit", ".5", "no JSON value at character 0"],
    ["a number without a last digit", "5.", "more text after the value at character 1"],
    ["a leading zero", "01", "more text after the value at character 1"],
    ["a plus sign", "+1", "no JSON value at character 0"],
    ["a minus alone", "-", "no JSON value at character 0"],
    ["hex", "0x10", "more text after the value at character 1"],
    ["an empty exponent", "1e", "more text after the value at character 1"],
    ["NaN", "NaN", "no JSON value at character 0"],
    ["Infinity", "-Infinity", "no JSON value at character 0"],
    ["a number beyond all doubles", "1e999", "a number that is too large at character 5"],
    ["a negative one", "[-1e309]", "a number that is too large at character 7"],
    ["digits of another script", "١", "no JSON value at character 0"],
    ["an upper-case word", "True", "no JSON value at character 0"],
    ["a longer word", "nullx", "more text after the value at character 4"],
    ["undefined", "undefined", "no JSON value at character 0"],
    ["too deep", nested(LIMITS.jsonDepth + 1), "more than 64 levels at character 64"],
    ["much too deep", "[".repeat(5_000_000), "more than 64 levels at character 64"],
    ["too deep in objects", '{"a":'.repeat(65), "more than 64 levels at character 320"],
  ];
  test.each(refused)("%s", (_what, text, found) => {
    expect(messageOf(text)).toBe(`the test is not the JSON we take: ${found}`);
  });

  const notText: [string, Uint8Array][] = [
    ["a lone continuation byte", bytes(0x22, 0x80, 0x22)],
    ["a cut sequence", bytes(0x22, 0xe2, 0x82, 0x22)],
    ["an overlong slash", bytes(0x22, 0xc0, 0xaf, 0x22)],
    ["a surrogate in UTF-8", bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ["a code point beyond the last", bytes(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22)],
    ["Latin-1", bytes(0x22, 0xe9, 0x22)],
    ["UTF-16", bytes(0xff, 0xfe, 0x31, 0x00)],
  ];
  test.each(notText)("invalid UTF-8: %s", (_what, input) => {
    expect(messageOf(input)).toBe("the test is not valid UTF-8");
  });

  test("a second byte-order mark", () => {
    expect(messageOf(bytes(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x31))).toContain("no JSON value");
  });

  test("a document above its ceiling, and not one at it", () => {
    expect(messageOf("[1,2]", 5)).toBe("");
    expect(messageOf("[1,2]", 4)).toBe("the test is larger than 4 bytes");
    expect(messageOf(new Uint8Array(LIMITS.documentBytes + 1))).toBe(
      "the test is larger than 10485760 bytes",
    );
  });

  test("a hostile member name comes back inert", () => {
    expect(messageOf(JSON.stringify({ a: 1 }).replace("}", ',"\\n::error::":1,"\\n::error::":2}'))).toContain(
      'a second member ": :error::"',
    );
  });
});
