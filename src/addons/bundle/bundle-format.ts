import type { Failure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { tooLarge, unsafe } from "./tar-header.ts";

/** How a bundle is compressed, by its first bytes. */
export type BundleFormat = "gzip" | "zstd";

/** null for anything that is no bundle: then it has to be a program by itself. */
export function bundleFormat(head: Uint8Array): BundleFormat | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  const isZstd = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  return isZstd ? "zstd" : null;
}

/** The name under which the bytes that were verified are kept beside what came out of them. */
export function retainedName(format: BundleFormat | null): string {
  if (format === null) return "artifact.bin";
  return format === "gzip" ? "artifact.tar.gz" : "artifact.tar.zst";
}

export const RETAINED_NAMES: readonly string[] = [
  retainedName("gzip"),
  retainedName("zstd"),
  retainedName(null),
];

/** Bytes of a gzip header that are read: its optional fields have no length of their own. */
export const GZIP_HEADER_BYTES = 65_536;
export const GZIP_TRAILER_BYTES = 8;

/** Length of the header of a gzip member (RFC 1952 §2.3). The name in it is skipped: it is nobody's to choose. */
export function gzipHeaderLength(head: Uint8Array): number {
  const flags = littleEndian(head, 3, 1);
  if (head.length < 10 || head[2] !== 8 || (flags & 0xe0) !== 0) throw unsafe("its gzip header is malformed");
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + littleEndian(head, at, 2);
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = head.indexOf(0, at);
    if (end === -1) throw unsafe("its gzip header has no end");
    at = end + 1;
  }
  if ((flags & 2) !== 0) at += 2;
  if (at > head.length) throw unsafe("its gzip header has no end");
  return at;
}

/** Reads `length` bytes at `position`; fewer at the end of the file. */
export type ReadAt = (position: number, length: number) => Uint8Array;

/**
 * Walks the block headers of a zstd file (RFC 8878 §3.1.1), because the decoder takes a cut-off one for a whole
 * one: exactly one frame, to the last byte, that keeps within the memory we give it. Throws Failure.
 */
export function checkZstdFrame(read: ReadAt, size: number): void {
  const head = read(0, 18);
  const descriptor = littleEndian(head, 4, 1);
  const single = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && !single ? 0 : 2 ** sizeFlag;
  // A reserved bit, and the length of the number of a dictionary.
  if ((descriptor & 0b1011) !== 0) throw unsafe("its zstd frame wants what is not known here");
  const sizeAt = single ? 5 : 6;
  // A size of two bytes counts from 256, which no ceiling notices.
  checkWindow(single ? littleEndian(head, sizeAt, sizeBytes) : windowOf(littleEndian(head, 5, 1)));
  let at = sizeAt + sizeBytes;
  for (let last = false; !last;) {
    const block = read(at, 3);
    if (block.length < 3) throw cut();
    const header = littleEndian(block, 0, 3);
    last = (header & 1) === 1;
    const kind = (header >> 1) & 3;
    if (kind === 3) throw unsafe("its zstd frame has a block of a reserved kind");
    // A run of one byte is stored as that byte.
    at += 3 + (kind === 1 ? 1 : header >> 3);
  }
  if ((descriptor & 4) !== 0) at += 4;
  if (at > size) throw cut();
  if (at < size) throw unsafe(`${size - at} bytes follow its zstd frame; wanted one frame and nothing else`);
}

function checkWindow(bytes: number): void {
  if (bytes <= LIMITS.zstdWindowBytes) return;
  throw tooLarge(
    `its zstd frame wants ${bytes} bytes of memory; at most ${LIMITS.zstdWindowBytes} are given`,
  );
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

/** Zeros where the bytes end. Exact up to 2^53; more is above every ceiling anyway. */
function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  const found = bytes.subarray(at, at + length);
  return found.reduceRight((value, byte) => value * 256 + byte, 0);
}

export function cut(): Failure {
  return unsafe("its compressed data is cut off");
}
