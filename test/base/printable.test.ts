import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../src/base/limits.ts";
import { printable, quoted } from "../../src/base/printable.ts";

describe("as much as a server may say is made inert in a moment", () => {
  const most = LIMITS.apiAnswerBytes;
  test.each(["::a", ":", "::a ", "##[", "section_start:", "\n", "\u202e", "😀"])("of %j alone", (piece) => {
    const shown = printable(piece.repeat(most / 4));
    expect(Array.from(shown).length).toBeLessThanOrEqual(LIMITS.serverTextChars + 1);
  });
});

describe("made inert", () => {
  const table: [string, string, string][] = [
    ["plain text", "a b, c: 100 %", "a b, c: 100 %"],
    ["other scripts", "héllo 日本 😀 עברית", "héllo 日本 😀 עברית"],
    ["a line break", "a\nb", "a b"],
    ["a carriage return, which would overwrite the line", "a\rb", "a b"],
    ["several at once", "a\r\n\t\u0000b", "a b"],
    ["a colour", "\u001b[31mred\u001b[0m", "[31mred [0m"],
    ["a window title", "\u001b]0;owned\u0007x", "]0;owned x"],
    ["the one-byte form of an escape", "\u009b31mred", "31mred"],
    ["a backspace", "a\b\b\bb", "a b"],
    ["DEL", "a\u007fb", "a b"],
    ["a line separator", "a\u2028b\u2029c", "a b c"],
    ["a next-line character", "a\u0085b", "a b"],
    ["a bidirectional override", "a\u202eb\u202c", "a b"],
    ["an isolate", "a\u2066b\u2069", "a b"],
    ["marks of direction", "a\u200e\u200f\u061cb", "a b"],
    ["zero-width characters", "a\u200b\u200db\ufeffc\u2060d", "a b c d"],
    ["letters that nobody sees", "a\u{e0041}\u{e007f}b", "a b"],
    ["a soft hyphen, and marks between lines", "a\u00adb\ufff9c", "a b c"],
    ["space around it", "  a  ", "a"],
    ["nothing", "\n\u200b", ""],

    ["a command of GitHub", "::error::x", ": :error::x"],
    ["one with properties", "::error file=a,line=1::x", ": :error file=a,line=1::x"],
    ["one with a colon in a property", "::error title=a:b::x", ": :error title=a:b::x"],
    ["one with two colons in a property", "::error title=a::b::x", ": :error title=a: :b::x"],
    ["one that sets a variable", "::set-env name=PATH::/x", ": :set-env name=PATH::/x"],
    ["one in capitals", "::ERROR::x", ": :ERROR::x"],
    ["one after more colons", "::::error::x", "::: :error::x"],
    ["one after a line break", "a\n::error::x", "a : :error::x"],
    ["one put together by what is taken out", ":\u200b:error::x", ": :error::x"],
    ["two of them", "::a::b ::c::d", ": :a: :b : :c::d"],
    ["the older form", "##[error]x", "# #[error]x"],
    ["the older form after more signs", "###[error]x", "## #[error]x"],
    ["a command of Azure", "##vso[task.setvariable variable=a]x", "# #vso[task.setvariable variable=a]x"],
    ["one in mixed case", "##VsO[x]", "# #VsO[x]"],
    ["a command of TeamCity", "##teamcity[message text='x']", "# #teamcity[message text='x']"],
    ["a section of GitLab", "section_start:1:a", "section_ start:1:a"],
    ["its end", "section_end:1:a", "section_ end:1:a"],

    ["an IPv6 address stays", "http://[::1]:7070 and ::ffff:1.2.3.4", "http://[::1]:7070 and ::ffff:1.2.3.4"],
    ["a heading stays", "## heading", "## heading"],
    ["a word stays", "section_started", "section_started"],
  ];
  test.each(table)("%s", (_what, text, wanted) => {
    expect(printable(text)).toBe(wanted);
  });
});

describe("cut", () => {
  test("at a number of characters, not of bytes or halves of pairs", () => {
    expect(printable("abcdef", 5)).toBe("abcde…");
    expect(printable("abcde", 5)).toBe("abcde");
    expect(printable("😀😀😀", 2)).toBe("😀😀…");
  });
  test("at 512 unless told", () => {
    expect(printable("x".repeat(600))).toBe(`${"x".repeat(512)}…`);
    expect(quoted("x".repeat(600))).toBe(`"${"x".repeat(200)}…"`);
  });
});

describe("quoted", () => {
  test.each([
    ["", '""'],
    ["a", '"a"'],
    ['a"b', String.raw`"a\"b"`],
    ["a\nb", '"a b"'],
  ])("%j", (text, wanted) => {
    expect(quoted(text)).toBe(wanted);
  });
});
