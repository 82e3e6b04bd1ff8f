import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { globMatches } from "../../src/trust/policy-glob.ts";

describe("patterns", () => {
  const table: [string, string, boolean][] = [
    ["", "", true],
    ["*", "", true],
    ["*", "a/b", false],
    ["**", "a/b", true],
    ["a*c", "abbc", true],
    ["a*c", "ab/c", false],
    ["a**c", "ab/c", true],
    ["a/**/c", "a/c", false],
    ["a.c", "abc", false],
    ["(a|b)+", "(a|b)+", true],
    ["***", "a/b", true],
  ];
  test.each(table)("%p and %p: %p", (pattern, name, fits) => expect(globMatches(pattern, name)).toBe(fits));

  test("agree with a regular expression", () => {
    const characters = fc.string({ unit: fc.constantFrom("a", "b", "/", "*"), maxLength: 8 });
    fc.assert(
      fc.property(
        characters,
        fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 }),
        (pattern, name) => {
          const source = pattern
            .replaceAll(/\*\*+|\*/gu, (stars) => (stars.length > 1 ? "#" : "[^/]*"))
            .replaceAll("#", ".*");
          expect(globMatches(pattern, name)).toBe(new RegExp(`^${source}$`, "u").test(name));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("of many stars take no time", () => {
    expect(globMatches("*a".repeat(120), "a".repeat(5_000))).toBe(true);
    expect(globMatches(`${"*a".repeat(120)}b`, "a".repeat(5_000))).toBe(false);
  });
});
