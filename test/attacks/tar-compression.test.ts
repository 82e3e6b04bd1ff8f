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

describe("a compressed bundle that is taken", () => {
  const taken: [string, Uint8Array][] = [
    ["gzip", GZ],
    ["zstd", ZST],
    ["gzip with a path as its file name", member(8, Buffer.from("../../etc/passwd\0"))],
    ["gzip with extra fields and a comment", member(4 | 16, Buffer.from("\x03\x00abcnote\0", "latin1"))],
    ["zstd with a checksum", zstdCompressSync(ARCHIVE, { params: { 201: 1 } })],
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
