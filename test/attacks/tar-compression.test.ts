import { describe, expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { readBundle } from "../../src/addons/bundle/read-bundle.ts";
import { bundleFormat } from "../../src/addons/bundle/bundle-format.ts";
import { Failure } from "../../src/base/failure.ts";
import { tar } from "../addons/tar.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** What became of a compressed archive: the code of its refusal, or the bytes of its files. */
async function unpack(bytes: Uint8Array): Promise<{ code: string; message: string; length: number }> {
  using folder = temporaryFolder();
  const path = folder.at("bundle");
  writeFileSync(path, bytes);
  const format = bundleFormat(bytes);
  if (format === null) return { code: "no bundle", message: "", length: 0 };
  const descriptor = openSync(path, "r");
  let length = 0;
  const sink = { begin: () => {}, piece: (piece: Uint8Array) => (length += piece.length), end: () => {} };
  try {
    const bundle = { descriptor, size: bytes.length, format, binaryName: "x" };
    await readBundle(bundle, sink, new AbortController().signal);
    return { code: "none", message: "", length };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { code: error.code, message: error.message, length };
  } finally {
    closeSync(descriptor);
  }
}

const noise = Buffer.from(
  Array.from({ length: 300_000 }, (_, index) => (index * index * 2_654_435_761) >>> 24),
);
const ARCHIVE = tar({ name: "x", data: noise });
const [GZ, ZST] = [gzipSync(ARCHIVE), zstdCompressSync(ARCHIVE)];

/** A gzip member whose header says these things. */
function member(flags: number, extra: Uint8Array, data: Uint8Array = ARCHIVE): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(data), 0);
  trailer.writeUInt32LE(data.length, 4);
  const head = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]);
  return Buffer.concat([head, extra, deflateRawSync(data), trailer]);
}

const changed = (bytes: Uint8Array, at: number, to: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at < 0 ? copy.length + at : at] = to;
  return copy;
};

const [KB64, KB128] = [65_536, 131_072];

/**
 * One zstd frame for each stretch of the bytes; `params` are
 * zstd's own, 200 leaves the length out, 201 is a checksum.
 */
function frames(bytes: Uint8Array, stretch: number, params: Record<number, number> = {}): Buffer[] {
  const count = Math.ceil(bytes.length / stretch);
  return Array.from({ length: count }, (_, index) =>
    zstdCompressSync(bytes.subarray(index * stretch, (index + 1) * stretch), { params }),
  );
}

const APART = frames(ARCHIVE, KB64);
const [FIRST = Buffer.alloc(0), SECOND = Buffer.alloc(0), ...OTHERS] = APART;
const LAST = APART.at(-1) ?? Buffer.alloc(0);

/** A frame that says that it has `says` bytes, of blocks of one byte each that is repeated so often. */
function lying(says: number, ...runs: number[]): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  head.writeUInt32LE(says, 5);
  const blocks = runs.map((run, index) => {
    const block = Buffer.alloc(4);
    block.writeUIntLE((run << 3) | 2 | (index === runs.length - 1 ? 1 : 0), 0, 3);
    return block;
  });
  return Buffer.concat([head, ...blocks]);
}

describe("a compressed bundle that is taken", () => {
  const taken: [string, Uint8Array][] = [
    ["gzip", GZ],
    ["zstd", ZST],
    ["gzip with a path as its file name", member(8, Buffer.from("../../etc/passwd\0"))],
    ["gzip with extra fields and a comment", member(4 | 16, Buffer.from("\x03\x00abcnote\0", "latin1"))],
    ["zstd with a checksum", zstdCompressSync(ARCHIVE, { params: { 201: 1 } })],
    ["zstd in frames of equal stretches", Buffer.concat(APART)],
    ["zstd in larger frames, with checksums", Buffer.concat(frames(ARCHIVE, KB128, { 201: 1 }))],
  ];
  test.each(taken)("%s", async (_name, bytes) => {
    expect(await unpack(bytes)).toEqual({ code: "none", message: "", length: noise.length });
  });
});

describe("a compressed bundle that is refused", () => {
  const refused: [string, Uint8Array, string][] = [
    ["gzip in two members", Buffer.concat([GZ, GZ]), "one member"],
    [
      "gzip in two members that make one archive",
      Buffer.concat([gzipSync(ARCHIVE.subarray(0, 512)), gzipSync(ARCHIVE.subarray(512))]),
      "one member",
    ],
    ["gzip and an empty member", Buffer.concat([GZ, gzipSync("")]), "one member"],
    ["gzip and garbage", Buffer.concat([GZ, Buffer.from("garbage")]), "one member"],
    ["gzip and zeros", Buffer.concat([GZ, Buffer.alloc(512)]), "one member"],
    ["gzip with a wrong checksum", changed(GZ, -8, (GZ.at(-8) ?? 0) ^ 1), "checksum"],
    ["gzip with a wrong length", changed(GZ, -1, 9), "checksum"],
    ["gzip cut off in its data", GZ.subarray(0, 1000), "cut off"],
    ["gzip cut off in its trailer", GZ.subarray(0, -3), ""],
    ["gzip cut off in its header", GZ.subarray(0, 7), ""],
    ["gzip of another method", changed(GZ, 2, 7), "header"],
    ["gzip with reserved flags", changed(GZ, 3, 0x80), "header"],
    [
      "gzip with a name without an end",
      Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, 65, 65, 65, 65, 65, 65, 65, 65]),
      "header",
    ],
    ["damaged gzip", changed(GZ, 5000, (GZ[5000] ?? 0) ^ 0x55), ""],
    ["gzip in gzip", gzipSync(GZ), ""],
    ["zstd in two frames", Buffer.concat([ZST, ZST]), "one frame"],
    ["zstd and garbage", Buffer.concat([ZST, Buffer.from("garbage")]), "one frame"],
    [
      "zstd and a frame to be skipped",
      Buffer.concat([ZST, Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])]),
      "one frame",
    ],
    ["zstd in two frames of another stretch", Buffer.concat(frames(ARCHIVE, 200_000)), "equal stretches"],
    [
      "zstd in frames of which one in the middle is shorter",
      Buffer.concat([FIRST, LAST, SECOND, ...OTHERS]),
      "equal stretches",
    ],
    [
      "zstd in frames of which a later one is longer",
      Buffer.concat([FIRST, ...frames(ARCHIVE.subarray(KB64), KB128)]),
      "equal stretches",
    ],
    [
      "zstd in frames that do not say how long they are",
      Buffer.concat(frames(ARCHIVE, KB64, { 200: 0 })),
      "equal stretches",
    ],
    [
      "zstd in frames, and garbage",
      Buffer.concat([...APART.slice(0, 2), Buffer.from("garbage")]),
      "equal stretches",
    ],
    [
      "zstd in frames, and one to be skipped",
      Buffer.concat([...APART.slice(0, 2), Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])]),
      "equal stretches",
    ],
    [
      "zstd in frames, and an empty one",
      Buffer.concat([...APART.slice(0, 2), zstdCompressSync("")]),
      "equal stretches",
    ],
    ["zstd in frames, and twice the archive", Buffer.concat([...APART.slice(0, -1), ...APART]), ""],
    ["zstd in frames, cut off in the last", Buffer.concat(APART).subarray(0, -1), "cut off"],
    [
      "zstd in frames, cut off between two",
      Buffer.concat(APART.slice(0, 2)),
      "without the two blocks of zeros",
    ],
    [
      "zstd in frames, the second with a wrong checksum",
      Buffer.concat(
        frames(ARCHIVE, KB64, { 201: 1 }).map((frame, index) =>
          index === 1 ? changed(frame, -1, (frame.at(-1) ?? 0) ^ 1) : frame,
        ),
      ),
      "damaged",
    ],
    [
      "zstd in frames, one of which holds more than it says",
      Buffer.concat([lying(KB64, KB64), lying(KB64, KB64, KB64)]),
      "",
    ],
    [
      "zstd in frames, one of which holds less than it says",
      Buffer.concat([lying(KB64, KB64), lying(KB64, 100)]),
      "",
    ],
    ["zstd cut off", ZST.subarray(0, 1000), "cut off"],
    ["zstd cut off by one byte", ZST.subarray(0, -1), "cut off"],
    ["zstd cut off in its header", ZST.subarray(0, 5), ""],
    ["zstd with a dictionary", changed(ZST, 4, (ZST[4] ?? 0) | 1), "not known"],
    ["zstd with a reserved flag", changed(ZST, 4, (ZST[4] ?? 0) | 8), "not known"],
  ];
  test.each(refused)("case 29: %s", async (_name, bytes, why) => {
    const found = await unpack(bytes);
    expect(found.code).toBe("tarball_unsafe");
    expect(found.message).toContain(why);
  });

  test("zstd that wants more memory than it gets", async () => {
    // A frame of one empty block with a window of 2 GiB.
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00]);
    expect(await unpack(frame)).toMatchObject({ code: "tarball_too_large" });
  });

  test("a bomb in frames is counted before the first of them is unpacked", async () => {
    const stretch = zstdCompressSync(Buffer.alloc(4_194_304));
    const bomb = Buffer.concat(Array.from({ length: 300 }, () => stretch));
    expect(bomb.length).toBeLessThan(100_000);
    expect(await unpack(bomb)).toMatchObject({ code: "tarball_too_large", length: 0 });
  });

  test("a frame that says little and holds very much costs no more than it says", async () => {
    const runs = Array.from({ length: 100_000 }, () => 131_071);
    const bomb = Buffer.concat([lying(KB64, KB64), lying(KB64, ...runs)]);
    expect(await unpack(bomb)).toMatchObject({ code: "tarball_unsafe" });
  });

  test("zstd of nothing but empty blocks is not walked to its end", async () => {
    const blocks = Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]),
      Buffer.alloc(20_000_000),
    ]);
    expect(await unpack(blocks)).toMatchObject({
      code: "tarball_too_large",
      message: expect.stringContaining("blocks"),
    });
  });

  const bombs: [string, (bytes: Uint8Array) => Uint8Array][] = [
    ["gzip", (bytes) => gzipSync(bytes)],
    ["zstd", (bytes) => zstdCompressSync(bytes)],
  ];
  test.each(bombs)("a bomb in %s ends at the ceiling, long before its own end", async (_name, compress) => {
    const bomb = compress(Buffer.concat([tar({ name: "x", data: "1" }), Buffer.alloc(209_715_200)]));
    expect(bomb.length).toBeLessThan(300_000);
    expect(await unpack(bomb)).toMatchObject({ code: "tarball_too_large", length: 1 });
  });
});
