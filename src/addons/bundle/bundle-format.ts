import type { Failure } from "../../base/failure.ts";
import { unsafe } from "./tar-header.ts";

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

export function cut(): Failure {
  return unsafe("its compressed data is cut off");
}

/** Zeros where the bytes end. Exact up to 2^53; more is above every ceiling anyway. */
export function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  const found = bytes.subarray(at, at + length);
  return found.reduceRight((value, byte) => value * 256 + byte, 0);
}
