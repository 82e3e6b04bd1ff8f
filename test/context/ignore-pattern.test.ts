import { describe, expect, test } from "bun:test";
import { compilePattern, isAcceptedGlob } from "../../src/context/ignore-pattern.ts";

/** What moby/patternmatcher with Go's regexp answers: `hits` and `misses`, or `null` where it finds a syntax error. */
type Row = [pattern: string, hits: string[], misses: string[]];

const LITERAL: Row[] = [
  ["a.b", ["a.b"], ["axb", "a.b/c"]],
  ["foo**", ["foobar/x", "foo"], ["fo", "x/foo"]],
  ["**foo", ["a/xfoo", "foo"], ["foo/x", "fo"]],
  ["**/foo", ["foo", "a/foo"], ["xfoo", "foo/x"]],
  ["foo/**", ["foo/x", "foo/x/y"], ["foo", "foox"]],
  ["**", ["a", "a/b"], []],
  ["a{2}", ["a{2}"], ["aa"]],
  ["a|b", ["a|b"], ["a", "b"]],
  ["^a", ["^a"], ["a"]],
  ["caf\u00e9", ["caf\u00e9"], ["cafe\u0301"]],
];

const GLOB: Row[] = [
  ["?", ["\u{1f600}", "\u00e9", "\n"], ["/", "ab", ""]],
  ["a?c", ["abc", "a\nc"], ["a/c"]],
  ["*", ["a", "a\nb", ".a", ""], ["a/b"]],
  ["**/**/b", ["b", "x/y/b"], ["xb"]],
  ["a/**/b", ["a/b", "a/x/b"], ["axb", "a/xb"]],
  ["a**/b", ["a/b", "ab", "ax/b", "axy/z/b"], ["axb"]],
  ["a**z", ["az", "ab/z"], ["a\n/z", "abz"]],
  ["[a-c]x", ["bx"], ["dx", "x"]],
  ["[a-c]**", ["ab", "b/x"], ["dx"]],
  ["a]*", ["a]b"], ["ab"]],
  ["a$b*", ["a$b"], ["a", "ab"]],
  ["(a)+*", ["(a)+"], ["aa"]],
  ["a\\?b", ["a?b"], ["axb"]],
  ["\\\\*", ["\\a"], ["a"]],
  ["\ufeffa*", ["ab"], ["\ufeffab"]],
];

const REGEXP: Row[] = [
  ["a[^b]c", ["a/c", "a\nc"], ["abc"]],
  ["a[!b]c", ["a!c", "abc"], ["axc"]],
  ["[a\\-c]", ["-", "a"], ["b"]],
  ["[\\]]x", ["]x"], ["x"]],
  ["[**]x", ["(x", "*x", "?x", "/x"], ["ax"]],
  ["[*]", ["[[]", "^/]", "]"], ["*", "a"]],
  ["[.]x", [".x"], ["\\x", "ax"]],
  ["[^\\n]x", ["ax"], ["\nx"]],
  ["[\\d-z]x", ["-x", "5x", "zx"], ["ax"]],
  ["[[:alpha:]]x", ["bx"], ["b]x", ":]x"]],
  ["[[:^digit:]]*", ["a", "ab"], ["1"]],
  ["[:alpha:]", ["a", "h", ":"], ["b"]],
  ["a{2}*", ["aa", "aab"], ["a{2}", "a"]],
  ["a{01}*", ["a{01}b"], ["ab"]],
  ["{2}*", ["a"], []],
  ["{,2}*", ["{,2}"], ["a"]],
  ["a|b*", ["a", "ab", "xb", "xbc"], ["c", "xa"]],
  ["|*", ["a", "b/c"], []],
  ["^a*", ["a"], ["^a"]],
  ["a^*", [], ["a", "a^"]],
  ["a\\d*", ["a1"], ["ad"]],
  ["a\\D*", ["a/", "ab"], ["a1"]],
  ["\\w\\s*", ["a "], ["ab", "a\v"]],
  ["\\Qa*", ["a[^/]*$", "a[^/]*$x"], ["a"]],
  ["\\Qa\\E*", ["ab"], ["b"]],
  ["\\Qa*\\E{2}*", ["a[^/]**"], ["a[^/]*"]],
  ["\\ba*", ["ab"], ["ba"]],
  ["*\\b-*", ["a-"], ["--"]],
  ["\\Ba*", [], ["a", "ba"]],
  ["\\Aa\\z", ["a"], ["ab"]],
  ["a\\b{2}*", ["a", "a-"], ["ab"]],
  ["\\x41*", ["A"], ["x41"]],
  ["\\x{1F600}?", ["\u{1f600}a"], ["\u{1f600}"]],
  ["\\141*", ["a"], ["b"]],
  ["\\0", ["\0"], ["0"]],
  ["\\n", ["\n"], ["n"]],
  ["\\a", ["\u0007"], ["a"]],
  ["\\_*", ["_"], ["a"]],
  ["\\pL*", ["\u00e9"], ["1"]],
  ["\\p{Greek}", ["\u03b1"], ["a"]],
  ["\\p{^Greek}", ["a"], ["\u03b1"]],
  ["\\P{^Greek}", ["\u03b1"], ["a"]],
  ["\\p{Thai}", ["\u0e01"], ["a"]],
  ["\\p{Any}", ["a", "/"], [""]],
  ["\\pC", ["\u0001"], ["a", "\u0378"]],
  ["x|\\b", ["ab", "a/-b"], ["-", "a-", ""]],
  ["x|\\B", ["-", "a-", ""], ["a", "-a"]],
  ["?|", ["x", "/", ""], []],
  ["a|?|c", ["a/", "/b"], ["/", ""]],
  ["a\\b{0,}-", ["a-"], ["a", "-"]],
  ["a\\B{0,}b[c]", ["abc"], ["ab", "bc"]],
  ["a{500}\\Q\\E{2}*", ["a".repeat(1000)], ["a".repeat(999)]],
];

const BYTES: Row[] = [
  ["a\udce9*", ["a\udce9b", "a\ufffdb", "a\udc80"], ["a\u00e9"]],
  ["a\udce9**", ["a\udce9b", "a\u9000"], ["a\ufffdb", "a\u00e9"]],
  ["**\udca9", ["\udca9", "a/\u00e9"], ["\udcaa"]],
  ["\ufeff**x", ["\ufeff**x", "\u00bf**x"], ["x", "**x"]],
  ["[^\ufffd]", ["a", "\ud7ff", "\ue000"], ["\ufffd", "\udc80", "\ud800", "\udfff"]],
  ["??", ["\uffffa", "\u{10000}a", "\u{10ffff}\u{10ffff}"], ["\uffff", "\u{10000}", "\u{10000}ab"]],
];

const REFUSED_WHEN_USED: string[] = [
  ..."[z-a]|[[:nope:]]|[a-\\d]|*{2}|a{1001}*|a{2,1}*|\\q*|\\E*|\\x{110000}|\\x4|\\x{41|\\x{}|\\1|\\18".split(
    "|",
  ),
  ..."\\\u00e9 \\p{Grek} \\p{greek} \\p{Unknown} \\p{} \\p \\C* \\c* a{1000}\\Q\\E{2}* *x*[ *x*\\q [Local-Only]".split(
    " ",
  ),
  "*|{2}",
];

describe("one pattern, as moby/patternmatcher matches it", () => {
  for (const [kind, rows] of Object.entries({ LITERAL, GLOB, REGEXP, BYTES })) {
    test.each(rows)(`${kind.toLowerCase()}: %p`, (pattern, hits, misses) => {
      expect(isAcceptedGlob(pattern)).toBe(true);
      const test = compilePattern(pattern);
      if (test === null) throw new Error("refused");
      expect(hits.filter((path) => !test(path))).toEqual([]);
      expect(misses.filter((path) => test(path))).toEqual([]);
    });
  }

  test.each(REFUSED_WHEN_USED)("%p loads and is refused when it is needed", (pattern) => {
    expect(isAcceptedGlob(pattern)).toBe(true);
    expect(compilePattern(pattern)).toBeNull();
  });

  test.each([
    "[",
    "[a",
    "[]",
    "[]a]",
    "[^]",
    "[a-]",
    "[-a]",
    "[x-",
    "a\\",
    "\\",
    "[\\",
    "[\udce9]",
    "a/[",
    ".[",
    "*.[",
  ])("%p is refused when it is loaded", (pattern) => {
    expect(isAcceptedGlob(pattern)).toBe(false);
  });

  // Anchors are a step each.
  test.each<[string, number]>([
    ["", 2],
    ["\\d", 3],
    ["?", 3],
    ["*", 4],
    ["x**/y", 8],
    ["\\b", 3],
    ["|", 3],
    ["||\\b", 5],
    ["\\d{0}", 2],
    ["\\d{2}", 4],
    ["\\d{1,3}", 7],
    ["\\d{2,}", 6],
    ["\\d{2}\\Q\\E{1,3}", 10],
  ])("%p has %i steps; more than 100,000 are refused, Docker stops at some millions", (pattern, steps) => {
    const beside = 100_000 - steps;
    const some = "\\d{1000}".repeat(Math.floor(beside / 1000));
    expect(compilePattern(`${some}\\d{${beside % 1000}}${pattern}`)).not.toBeNull();
    expect(compilePattern(`${some}\\d{${(beside % 1000) + 1}}${pattern}`)).toBeNull();
  });

  test("a pattern that stalls a backtracking engine is answered", () => {
    const name = "a".repeat(4000);
    for (const pattern of [`${"*a".repeat(40)}*b`, `${"**a".repeat(40)}b`, "?{900}*?{900}*b", "*a?{300}b"]) {
      expect(compilePattern(pattern)?.(name)).toBe(false);
    }
    expect(compilePattern(`${"*a".repeat(40)}*`)?.(name)).toBe(true);
  });

  test("states are dropped and made again when there are too many", () => {
    const path = Array.from({ length: 4000 }, (_, at) => ((at * at) % 7 < 3 ? "a" : "c")).join("");
    const test = compilePattern("*a?{600}b");
    expect(test?.(path)).toBe(false);
    expect(test?.(`${path}a${"c".repeat(600)}b`)).toBe(true);
    expect(test?.(path)).toBe(false);
  });
});
