import { writeSync } from "node:fs";
import { Hasher } from "../base/hashing.ts";
import type { Sha256 } from "../base/digest.ts";
import type { Compression } from "./archive.ts";
import type { ArchiveRing } from "./archive-ring.ts";
import type { ObjectFormat } from "./contents.ts";
import { hashContent, IncrementalDigests } from "./content-hashing.ts";

/** Of libdeflate: 2.4 % more bytes than gzip makes at its usual level 6. Level 5 makes 2 % fewer, in 8 % more time. */
const GZIP_LEVEL = 4;
const ZSTD_LEVEL = 3;

/**
 * How long the pieces of an archive are; each becomes a gzip member or a zstd frame of its own, whoever compresses
 * it. A frame finds nothing in those before it: of 1 MiB they make 8 % more bytes, and take more time to make them.
 */
export const PIECE_BYTES: Readonly<Record<Compression, number>> = {
  none: 1_048_576,
  gzip: 1_048_576,
  zstd: 4_194_304,
};

/** Hashes the pieces of an archive in their order: the tar as a whole, and each file's content into its record. */
export class PieceDigests {
  readonly #tar: Hasher | null;
  readonly #format: ObjectFormat | null;
  /** The file that goes on in the next piece. */
  #unfinished: IncrementalDigests | null = null;

  /** `tar`: whether the digest of the tar is asked for. */
  constructor(format: ObjectFormat | null, tar: boolean) {
    this.#tar = tar ? new Hasher() : null;
    this.#format = format;
  }

  add(ring: ArchiveRing, number: number): void {
    const piece = ring.content(number);
    const segments = ring.segments(number);
    const { records } = segments;
    this.#tar?.update(piece);
    for (let index = 0; index < segments.count; index++) {
      const { at, length, first, last } = segments.get(index);
      const bytes = piece.subarray(at, at + length);
      if (first && last) {
        hashContent(bytes, this.#format, records, index);
        continue;
      }
      if (first) this.#unfinished = new IncrementalDigests(this.#format, records.size(index));
      this.#unfinished?.update(bytes);
      if (last) this.#unfinished?.end(records, index);
    }
  }

  /** The digest of the uncompressed tar, if it is asked for. Once. */
  tarSha256(): Sha256 | null {
    return this.#tar?.digest() ?? null;
  }
}

export function compress(content: Uint8Array, compression: "gzip" | "zstd"): Uint8Array {
  // The compressors take shared memory too, whatever their types say; nobody writes to it meanwhile.
  const piece = content as Uint8Array<ArrayBuffer>; // oxlint-disable-line typescript/no-unsafe-type-assertion
  if (compression === "zstd") return Bun.zstdCompressSync(piece, { level: ZSTD_LEVEL });
  const member = Bun.gzipSync(piece, { level: GZIP_LEVEL, library: "libdeflate" });
  // RFC 1952: no time (bytes 4–7), operating system 255, "unknown": else the same bytes differ by platform.
  member.fill(0, 4, 8);
  member[9] = 255;
  return member;
}

/** Does what can be done for the pieces beside filling and hashing them; false when that is nothing. */
export function packOne(ring: ArchiveRing, compression: Compression, descriptor: number): boolean {
  const piece = compression === "none" ? ring.takeToWrite() : ring.takeToPack();
  if (piece === null) return false;
  if (compression === "none") write(ring, piece, descriptor);
  else {
    const packed = compress(ring.content(piece), compression);
    ring.packed(piece, packed);
    // Gives it back at once: the collector does not see what the compressors allocate, and would let it grow.
    if (packed.buffer instanceof ArrayBuffer) packed.buffer.transfer(0);
  }
  return true;
}

/** What is not compressed has its place in the file, whoever writes it when. */
function write(ring: ArchiveRing, piece: number, descriptor: number): void {
  const content = ring.content(piece);
  for (let done = 0; done < content.length;) {
    done += writeSync(descriptor, content, done, content.length - done, piece * ring.pieceBytes + done);
  }
  ring.written(piece);
}
