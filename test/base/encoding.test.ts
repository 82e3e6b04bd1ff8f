import { describe, expect, test } from "bun:test";
import { fromBase64, fromHex, fromHexOrBase64, toBase64, toHex } from "../../src/base/encoding.ts";

function array(bytes: Uint8Array | null): number[] | null {
  return bytes === null ? null : Array.from(bytes);
}

describe("hex", () => {
  const table: [string, number[] | null][] = [
    ["", []],
    ["00ff10", [0, 255, 16]],
    ["00FF10", null],
    ["0", null],
    ["0g", null],
    ["0x00", null],
    ["00 ff", null],
    [" 00", null],
    ["00\n", null],
    ["００", null],
  ];
  test.each(table)("%j", (text, wanted) => {
    expect(array(fromHex(text))).toEqual(wanted);
  });
});

describe("base64", () => {
  const table: [string, string, number[] | null][] = [
    ["nothing", "", []],
    ["padded", "+/8=", [251, 255]],
    ["not padded", "+/8", [251, 255]],
    ["URL-safe, padded", "-_8=", [251, 255]],
    ["URL-safe, not padded", "-_8", [251, 255]],
    ["two padding characters", "/w==", [255]],
    ["none of the two", "/w", [255]],
    ["one of the two", "/w=", null],
    ["padding where none belongs", "////=", null],
    ["three padding characters", "/===", null],
    ["padding alone", "=", null],
    ["padding in the middle", "/w==/w==", null],
    ["both alphabets", "+_8=", null],
    ["one character", "A", null],
    ["five characters", "AAAAA", null],
    ["bits beyond the last byte", "/x==", null],
    ["bits beyond the last byte, not padded", "_x", null],
    ["bits beyond the second byte", "AAB=", null],
    ["a space inside", "AA AA", null],
    ["a line break inside", "AAAA\nAAAA", null],
    ["a line break after", "AAAA\n", null],
    ["a space before", " AAAA", null],
    ["junk", "AA*A", null],
    ["a NUL", "AAA\u0000", null],
    ["full-width letters", "ＡＡＡＡ", null],
  ];
  test.each(table)("%s: %j", (_what, text, wanted) => {
    expect(array(fromBase64(text))).toEqual(wanted);
  });

  test("many megabytes", () => {
    const bytes = new Uint8Array(6_000_001).fill(0xfb);
    // Not toEqual, which would print them all.
    expect(Bun.deepEquals(fromBase64(toBase64(bytes)), bytes)).toBe(true);
    expect(Bun.deepEquals(fromHex(toHex(bytes)), bytes)).toBe(true);
    expect(fromBase64(`${toBase64(bytes)}*`)).toBe(null);
  });
});

describe("hex or base64, as keys and signatures come", () => {
  const table: [string, number[] | null][] = [
    ["00ff", [0, 255]],
    ["00FF", [0, 255]],
    ["  00fF\n", [0, 255]],
    ["AP8=", [0, 255]],
    ["AP8", [0, 255]],
    ["\tAP8=\n", [0, 255]],
    // Hex first: base64 would read three bytes here.
    ["abcd", [0xab, 0xcd]],
    ["abc", [105, 183]],
    ["AP9=", null],
    ["AP 8", null],
    ["!", null],
  ];
  test.each(table)("%j", (text, wanted) => {
    expect(array(fromHexOrBase64(text))).toEqual(wanted);
  });
});

test("a part of a larger buffer is written without the rest", () => {
  const part = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  expect(toHex(part)).toBe("0203");
  expect(toBase64(part)).toBe("AgM=");
});
