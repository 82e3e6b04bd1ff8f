import { describe, expect, test } from "bun:test";
import { zstdFrames, type ZstdFrame } from "../../src/addons/bundle/zstd-frames.ts";
import { refusalOf } from "../trust/refusal.ts";

/** bytes that a bundle may unpack to */
const MOST = 1_048_576;

describe("a zstd frame", () => {
  type Block = { readonly kind: number; readonly size: number; readonly stored?: number };
  const BLOCK: Block = { kind: 0, size: 5 };

  /** A frame with a descriptor, the bytes of its header behind it, blocks, and what follows them. */
  function frame(
    descriptor: number,
    header: number[],
    blocks: Block[] = [BLOCK],
    after: number[] = [],
  ): Uint8Array {
    const parts = blocks.flatMap(({ kind, size, stored = kind === 1 ? 1 : size }, index) => {
      const word = (size << 3) | (kind << 1) | (index === blocks.length - 1 ? 1 : 0);
      return [word & 0xff, (word >> 8) & 0xff, word >> 16, ...Array<number>(stored).fill(0xff)];
    });
    return new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...header, ...parts, ...after]);
  }

  const check = (bytes: Uint8Array): readonly ZstdFrame[] =>
    zstdFrames((position, length) => bytes.subarray(position, position + length), bytes.length, MOST);
  const zeros = (count: number): number[] => Array<number>(count).fill(0);

  test.each<[string, Uint8Array]>([
    ["a window", frame(0, [0])],
    ["one segment, of a byte", frame(0x20, [0xff])],
    ["one segment, of two bytes", frame(0x60, [0xff, 0xff])],
    ["one segment, of four bytes", frame(0xa0, [0, 0, 0, 2])],
    ["one segment, of eight bytes", frame(0xe0, [0, 0, 0, 2, 0, 0, 0, 0])],
    ["a size of two bytes beside its window", frame(0x40, [0, 0xff, 0xff])],
    ["a size of four bytes beside its window", frame(0x80, [0, ...zeros(4)])],
    ["a size of eight bytes beside its window", frame(0xc0, [0, ...Array<number>(8).fill(0xff)])],
    ["a checksum", frame(4, [0], [BLOCK], zeros(4))],
    ["an unused bit", frame(0x10, [0])],
    [
      "several blocks",
      frame(0, [0], [BLOCK, { kind: 2, size: 300 }, { kind: 1, size: 100_000 }, { kind: 0, size: 0 }]),
    ],
    ["the largest window that is given", frame(0, [15 << 3])],
  ])("with %s is taken", (_what, bytes) => {
    expect(() => check(bytes)).not.toThrow();
    const refusal = refusalOf(() => check(new Uint8Array([...bytes, 7])));
    expect([refusal.code, refusal.message]).toEqual([
      "tarball_unsafe",
      "the bundle is refused: 1 bytes follow its zstd frame; wanted one frame and nothing else, or frames of equal stretches",
    ]);
    const cut = refusalOf(() => check(bytes.subarray(0, -1)));
    expect([cut.code, cut.message]).toEqual([
      "tarball_unsafe",
      "the bundle is refused: its compressed data is cut off",
    ]);
  });

  test.each<[string, Uint8Array]>([
    ["a reserved bit", frame(8, [0])],
    ["a dictionary with a number of one byte", frame(1, [0, 7])],
    ["a dictionary with a number of two bytes", frame(2, [0, 7, 7])],
    ["a dictionary with a number of four bytes", frame(3, [0, 7, 7, 7, 7])],
  ])("with %s is refused", (_what, bytes) => {
    expect(refusalOf(() => check(bytes))).toMatchObject({
      code: "tarball_unsafe",
      message: "the bundle is refused: its zstd frame wants what is not known here",
    });
  });

  test("with a block of a reserved kind is refused", () => {
    expect(refusalOf(() => check(frame(0, [0], [{ kind: 3, size: 1 }]))).message).toBe(
      "the bundle is refused: its zstd frame has a block of a reserved kind",
    );
  });

  test.each<[string, Uint8Array, number]>([
    ["a window", frame(0, [(15 << 3) | 1]), 33_554_432 + 4_194_304],
    ["the largest window", frame(0, [0xff]), 2 ** 41 + 7 * 2 ** 38],
    ["one segment", frame(0xa0, [1, 0, 0, 2]), 33_554_433],
    ["one segment of eight bytes", frame(0xe0, [0, 0, 0, 0, 1, 0, 0, 0]), 2 ** 32],
  ])("with %s that is too large is refused", (_what, bytes, wanted) => {
    expect(refusalOf(() => check(bytes))).toMatchObject({
      code: "tarball_too_large",
      message: `the bundle is refused: its zstd frame wants ${wanted} bytes of memory; at most 33554432 are given`,
    });
  });

  /** A frame of so many bytes that says that 65,536 are in it. */
  function framed(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    bytes.set([0x28, 0xb5, 0x2f, 0xfd, 0x60, 0, 0xff]);
    for (let at = 7; at < length;) {
      const size = Math.min(131_072, length - at - 3);
      const word = (size << 3) | (at + 3 + size === length ? 1 : 0);
      bytes.set([word & 0xff, (word >> 8) & 0xff, word >> 16], at);
      at += 3 + size;
    }
    return bytes;
  }

  test.each<[number[], "tarball_too_large" | null]>([
    [[8_388_608, 100], null],
    [[100, 8_388_608], null],
    [[8_388_609, 100], "tarball_too_large"],
    [[100, 8_388_609], "tarball_too_large"],
    [[8_388_609], null],
  ])("of several is read at once, so of %j bytes: %p", (lengths, code) => {
    const bytes = new Uint8Array(Buffer.concat(lengths.map(framed)));
    if (code === null) expect(check(bytes).map(({ length }) => length)).toEqual(lengths);
    else expect(refusalOf(() => check(bytes)).code).toBe(code);
  });

  test("that ends within its header is cut off", () => {
    const bytes = frame(0, [0]);
    for (const length of [4, 5, 6, 8])
      expect(refusalOf(() => check(bytes.subarray(0, length))).message).toContain("is cut off");
  });
});
