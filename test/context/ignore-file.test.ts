import { describe, expect, test } from "bun:test";
import { parseIgnoreFile } from "../../src/context/ignore-file.ts";
import { cleanPath, decodeName, encodeName, trimSpace } from "../../src/context/ignore-text.ts";
import { Failure } from "../../src/base/failure.ts";
import { LIMITS } from "../../src/base/limits.ts";

function patterns(file: string | Uint8Array): string[] {
  return parseIgnoreFile(typeof file === "string" ? Buffer.from(file) : file).map((line) => line.pattern);
}

function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("reading an ignore file", () => {
  test.each<[string, string, string[]]>([
    ["nothing", "", []],
    ["blank lines", "\n \n\t\r\n", []],
    ["comments only in the first column", "#a\n #b\n", ["#b"]],
    ["a byte order mark on the first line", "\ufeff#a\nb", ["b"]],
    ["a byte order mark further down", "a\n\ufeff#b\n", ["a", "\ufeff#b"]],
    ["one carriage return at the end", "a\r\nb\rc\r\r\n", ["a", "b\rc"]],
    ["no line break at the end", "a\nb", ["a", "b"]],
    ["white space by Go's rule", "\u00a0a\u0085\n\u3000b\u2028\n\ufeffc\ufeff", ["a", "b", "\ufeffc\ufeff"]],
    ["white space inside", "a b # c", ["a b # c"]],
    ["clean paths", "./a/../b//c/./\n../d\n/../e\n.\n..", ["b/c", "../d", "e", ".", ".."]],
    ["one leading slash", "/a\n//b\n/\n///", ["a", "b", "/", "/"]],
    ["exceptions", "!a\n! /b/\n!\n! \n!/\n!!c", ["!a", "!b", "!", "!", "!/", "!!c"]],
    ["a space behind the slash", "/ a\n!/ b", [" a", "! b"]],
    ["characters that mean nothing", "a\0b\vc\td", ["a\0b\vc\td"]],
    ["backslashes", "a\\b\\", ["a\\b\\"]],
  ])("%s", (_, file, expected) => {
    expect(patterns(file)).toEqual(expected);
  });

  test("lines are counted from 1, with those that hold no pattern", () => {
    expect(parseIgnoreFile(Buffer.from("# a\n\nb\n!c\n"))).toEqual([
      { pattern: "b", line: 3 },
      { pattern: "!c", line: 4 },
    ]);
  });

  test("bytes that are not UTF-8 stay apart", () => {
    expect(patterns(Buffer.from("a\xe9\na\xea\n", "latin1"))).toEqual(["a\udce9", "a\udcea"]);
  });

  test("a line that fills Docker's buffer is refused, one byte less is read", () => {
    const longest = "a".repeat(LIMITS.ignoreLineBytes - 1);
    expect(patterns(`x\n${longest}\ny`)).toEqual(["x", longest, "y"]);
    for (const file of [`x\n${longest}a\ny`, `x\n${longest}\r\n`, `x\n#${longest}`]) {
      const failure = failureOf(() => patterns(file));
      expect(failure.code).toBe("ignore_file_invalid");
      expect(failure.message).toContain("line 2 of the ignore file has 65536 bytes");
    }
  });

  test("a file over the ceiling is refused before it is read", () => {
    const line = `${"a".repeat(1023)}\n`;
    const full = line.repeat(LIMITS.ignoreFileBytes / line.length);
    expect(patterns(full)).toHaveLength(LIMITS.ignoreFileBytes / line.length);
    expect(failureOf(() => patterns(`${full}a`)).code).toBe("ignore_file_invalid");
  });
});

describe("text as Go reads it", () => {
  test.each<[string, string]>([
    ["", "."],
    ["/", "/"],
    ["a/", "a"],
    ["a//b/./c", "a/b/c"],
    ["a/../..", ".."],
    ["../../a", "../../a"],
    ["/../a", "/a"],
    ["a/..", "."],
    ["!../a", "!../a"],
  ])("%p is %p when clean", (path, expected) => {
    expect(cleanPath(path)).toBe(expected);
  });

  test("a long run of white space inside a line costs nothing", () => {
    const line = `a${" ".repeat(1_000_000)}b`;
    expect(trimSpace(` ${line} `)).toBe(line);
  });

  test.each([
    "c3",
    "a9",
    "eda080",
    "f09f98",
    "f4908080",
    "c080",
    "efbfbd",
    "efbbbf61",
    "61ff62c3a9e2",
    "f09f9880ff",
  ])("the bytes %s survive decoding and encoding", (hex) => {
    expect(Buffer.from(encodeName(decodeName(Buffer.from(hex, "hex")))).toString("hex")).toBe(hex);
  });

  test("only bytes that are not UTF-8 become lone surrogates", () => {
    expect(decodeName(Buffer.from("61ff62c3a9e2", "hex"))).toBe("a\udcffb\u00e9\udce2");
    expect(decodeName(Buffer.from("efbfbd", "hex"))).toBe("\ufffd");
  });
});
