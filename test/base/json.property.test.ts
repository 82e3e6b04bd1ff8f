import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Failure } from "../../src/base/failure.ts";
import { parseJson, type JsonValue } from "../../src/base/json.ts";
import { parsePlainJson } from "../../src/base/plain-json.ts";

function read(text: string): { value: JsonValue } | { refused: string } {
  try {
    return { value: parseJson(text, { what: "the test", code: "input_invalid" }) };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "input_invalid") throw error;
    return { refused: error.message };
  }
}

function native(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** What RFC 8259 lets a reader refuse and we do: then the platform's reader may take it. */
const OURS = /a second member|half a surrogate pair|a number that is too large|more than 64 levels/u;

const space = fc.constantFrom("", "", " ", "\n", "\t\r ");
const value = fc.jsonValue({ maxDepth: 6, stringUnit: "grapheme" });

/** Text that is JSON nearly always, and nearly JSON otherwise. */
const almost = fc
  .tuple(
    value,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'[]{}:,"\\ \n019.-+eEtfnu\u0000a\ufeff'.split(""))), {
      maxLength: 2,
    }),
  )
  .map(([document, edits]) => {
    let text = JSON.stringify(document);
    for (const [at, character] of edits) {
      const cut = at % (text.length + 1);
      // Even positions get one character more, odd ones another character in place of theirs.
      text = text.slice(0, cut) + character + text.slice(cut + (at % 2));
    }
    return text;
  });

const tokens = fc
  .array(
    fc.constantFrom(
      ..."[]{}:,".split(""),
      '"a"',
      '"b"',
      '"\\u0061"',
      '"__proto__"',
      "0",
      "-0",
      "1e5",
      "01",
      "1.",
      "true",
      "null",
      " ",
      "\n",
      "x",
    ),
    { maxLength: 12 },
  )
  .map((words) => words.join(""));

describe("beside the platform's own reader", () => {
  test("what was written by it is read back equal, wherever white space stands", () => {
    fc.assert(
      fc.property(value, space, space, (document, before, after) => {
        const text = before + JSON.stringify(document, null, before.length) + after;
        expect(read(text)).toEqual({ value: JSON.parse(text) });
      }),
    );
  });

  test.each([
    ["edited documents", almost],
    ["strings of tokens", tokens],
    ["any text", fc.string({ unit: "binary", maxLength: 20 })],
  ])("%s are taken by both with equal values, or refused by both", (_what, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        const ours = read(text);
        const theirs = native(text);
        if ("value" in ours) expect({ value: ours.value }).toEqual({ value: theirs?.value as JsonValue });
        else if (theirs !== null) expect(ours.refused).toMatch(OURS);
      }),
      { numRuns: 3000 },
    );
  });
});

// With an escape somewhere the strict reader reads all of it; without one the quick way may.
test.each([
  ["edited documents", almost],
  ["strings of tokens", tokens],
])(
  "the quick way takes nothing of %s that the strict reader refuses, and reads nothing else",
  (_what, texts) => {
    let quick = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const found = parsePlainJson(text, 63);
        if (found === undefined) return;
        quick++;
        expect(read(`[${text},"\\u0061"]`)).toEqual({ value: [found, "a"] });
      }),
      { numRuns: 3000 },
    );
    expect(quick).toBeGreaterThan(100);
  },
);

test("a member twice is refused, whatever the members are", () => {
  const name = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(name, fc.dictionary(name, value), value, value, (twice, others, first, second) => {
      const rest = Object.entries(others).filter(([other]) => other !== twice);
      const members = [[twice, first], ...rest, [twice, second]];
      const text = `{${members.map(([key, held]) => `${JSON.stringify(key)}:${JSON.stringify(held)}`).join(",")}}`;
      expect(read(text)).toEqual({ refused: expect.stringContaining("a second member") });
    }),
  );
});
