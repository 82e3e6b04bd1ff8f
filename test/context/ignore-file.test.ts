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

  test("white space is what Go takes for it, at both ends", () => {
    const trimmed = Array.from({ length: 0x1_0000 }, (_, unit) => unit).filter(
      (unit) => trimSpace(`${String.fromCharCode(unit)}a${String.fromCharCode(unit)}`) === "a",
    );
    expect(trimmed.map((unit) => unit.toString(16)).join(" ")).toBe(
      "9 a b c d 20 85 a0 1680 2000 2001 2002 2003 2004 2005 2006 2007 2008 2009 200a 2028 2029 202f 205f 3000",
    );
    expect(trimSpace(" \u3000\t ")).toBe("");
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
    const borders = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xcfff, 0xd000, 0xd7ff, 0xe000, 0xffff];
    const astral = [0x1_0000, 0x3_ffff, 0x4_0000, 0xf_ffff, 0x10_0000, 0x10_ffff];
    for (const codePoint of [...borders, ...astral]) {
      const character = String.fromCodePoint(codePoint);
      const bytes = Buffer.from(character);
      expect(decodeName(Buffer.concat([bytes, Buffer.of(0xff)]))).toBe(`${character}\udcff`);
      // Cut short, no two of its bytes are one character.
      if (bytes.length > 1) expect(decodeName(bytes.subarray(0, -1))).toHaveLength(bytes.length - 1);
    }
  });

  test.each([
    "c0af",
    "c1bf",
    "e09fbf",
    "eda080",
    "edbfbf",
    "f08fbfbf",
    "f4908080",
    "f5808080",
    "e0a07f",
    "f0907f80",
  ])("the bytes %s are no character, each for itself", (hex) => {
    const bytes = Buffer.from(hex, "hex");
    const alone = Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte));
    expect(decodeName(bytes)).toBe(alone.join(""));
  });

  test("text beside such bytes is encoded as it is", () => {
    const text = "\u00e9\udcc3a\udca9\u{1f600}\udcff\udc80";
    expect(Buffer.from(encodeName(text)).toString("hex")).toBe("c3a9c361a9f09f9880ff80");
  });
});
