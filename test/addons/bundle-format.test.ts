import { describe, expect, test } from "bun:test";
import {
  bundleFormat,
  GZIP_HEADER_BYTES,
  GZIP_TRAILER_BYTES,
  gzipHeaderLength,
  retainedName,
} from "../../src/addons/bundle/bundle-format.ts";
import { refusalOf } from "../trust/refusal.ts";

describe("the format of a bundle", () => {
  test.each<[number[], string | null]>([
    [[0x1f, 0x8b, 8], "gzip"],
    [[0x1f, 0x8c], null],
    [[0x1e, 0x8b], null],
    [[0x28, 0xb5, 0x2f, 0xfd], "zstd"],
    [[0x29, 0xb5, 0x2f, 0xfd], null],
    [[0x28, 0xb4, 0x2f, 0xfd], null],
    [[0x28, 0xb5, 0x2e, 0xfd], null],
    [[0x28, 0xb5, 0x2f, 0xfc], null],
    [[], null],
  ])("that begins with %p is %p", (head, format) => {
    expect<string | null>(bundleFormat(new Uint8Array(head))).toBe(format);
  });

  test("gives the kept bytes their name", () => {
    const names = ["artifact.tar.gz", "artifact.tar.zst", "artifact.bin"];
    expect([retainedName("gzip"), retainedName("zstd"), retainedName(null)]).toEqual(names);
  });
});

describe("the header of a gzip member", () => {
  const header = (flags: number, ...more: number[]): Uint8Array =>
    new Uint8Array([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 5, 6, ...more]);
  const text = [...Buffer.from("name\0")];

  test.each<[string, Uint8Array, number]>([
    ["nothing more", header(0), 10],
    ["text that follows", header(1, 9, 9), 10],
    ["extra fields", header(4, 3, 0, 7, 7, 7), 15],
    ["many extra fields", header(4, 1, 1, ...Array<number>(257).fill(7)), 269],
    ["a name", header(8, ...text), 15],
    ["a comment", header(16, ...text), 15],
    ["a name and a comment", header(8 | 16, ...text, ...text), 20],
    ["a checksum", header(2, 9, 9), 12],
    ["everything", header(2 | 4 | 8 | 16, 1, 0, 7, ...text, ...text, 9, 9, 0x55), 25],
  ])("with %s ends where its data begin", (_what, head, length) => {
    expect(gzipHeaderLength(head)).toBe(length);
  });

  const [malformed, endless] = ["its gzip header is malformed", "its gzip header has no end"];
  test.each<[string, Uint8Array, string]>([
    ["too few bytes", header(0).subarray(0, 9), malformed],
    ["no byte", new Uint8Array(), malformed],
    ["another method", new Uint8Array([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0]), malformed],
    ...[0x20, 0x40, 0x80].map((flag): [string, Uint8Array, string] => [
      "a reserved flag",
      header(flag),
      malformed,
    ]),
    ["extra fields that are cut off", header(4, 3, 0, 7, 7), endless],
    ["a length that is cut off", header(4, 3), endless],
    ["no length", header(4), endless],
    ["a name without an end", header(8, 7, 7), endless],
    ["a comment without an end", header(8 | 16, ...text, 7), endless],
    ["half a checksum", header(2, 9), endless],
  ])("with %s is refused", (_what, head, why) => {
    const refusal = refusalOf(() => gzipHeaderLength(head));
    expect([refusal.code, refusal.message]).toEqual(["tarball_unsafe", `the bundle is refused: ${why}`]);
  });

  test("is read to 64 KiB, and has eight bytes behind its data", () => {
    expect([GZIP_HEADER_BYTES, GZIP_TRAILER_BYTES]).toEqual([65_536, 8]);
  });
});
