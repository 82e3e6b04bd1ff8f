import { Hasher } from "../base/hashing.ts";
import type { Sha256 } from "../base/digest.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { PendingFile, reason } from "../host/files.ts";
import type { ContentSink } from "./contents.ts";
import { archiveEnd, contentPadding, memberHeader, type TarMember } from "./tar.ts";

export type Compression = "none" | "gzip" | "zstd";

/** The compression that a file name asks for, or null when the name is none of an archive's. */
export function compressionOf(path: string): Compression | null {
  if (path.endsWith(".tar")) return "none";
  if (path.endsWith(".tar.gz") || path.endsWith(".tgz")) return "gzip";
  return path.endsWith(".tar.zst") ? "zstd" : null;
}

/** Each piece of this many bytes becomes a gzip member or zstd frame of its own, so memory stays flat. */
const PIECE_BYTES = 1_048_576;
const GZIP_LEVEL = 6;
const ZSTD_LEVEL = 3;

/**
 * Writes one archive beside its final name and hashes the uncompressed tar as it goes: that digest is the
 * archive's identity, because compressed bytes depend on the compressor's version.
 */
export class ArchiveWriter {
  readonly #path: string;
  readonly #file: PendingFile;
  readonly #compression: Compression;
  readonly #mtime: number;
  readonly #hasher = new Hasher();
  readonly #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #filled = 0;
  #tarBytes = 0;

  /** `mtime` in seconds stands in every member. Every method throws Failure `output_not_written`. */
  constructor(path: string, compression: Compression, mtime: number) {
    this.#path = path;
    this.#file = this.#written(() => new PendingFile(path, 0o644));
    this.#compression = compression;
    this.#mtime = mtime;
  }

  add(member: TarMember): void {
    this.#write(memberHeader(member, this.#mtime));
  }

  /** A sink that turns the content of one file into its member. Call `endFile` with the size after the content. */
  fileSink(path: Extract<TarMember, { kind: "file" }>["path"]): ContentSink {
    return {
      begin: (size, executable) => this.add({ kind: "file", path, size, executable }),
      bytes: (chunk) => this.#write(chunk),
    };
  }

  endFile(size: number): void {
    this.#write(contentPadding(size));
  }

  /** Ends the archive and gives it its name. The digest is of the uncompressed tar. */
  commit(): { readonly tarSha256: Sha256; readonly tarBytes: number } {
    this.#write(archiveEnd(this.#tarBytes));
    this.#flush();
    this.#written(() => this.#file.commit());
    return { tarSha256: this.#hasher.digest(), tarBytes: this.#tarBytes };
  }

  /** Removes what was written; safe after `commit`. */
  discard(): void {
    this.#file.discard();
  }

  #write(bytes: Uint8Array): void {
    this.#tarBytes += bytes.length;
    let offset = 0;
    while (offset < bytes.length) {
      const taken = Math.min(bytes.length - offset, PIECE_BYTES - this.#filled);
      this.#piece.set(bytes.subarray(offset, offset + taken), this.#filled);
      this.#filled += taken;
      offset += taken;
      if (this.#filled === PIECE_BYTES) this.#flush();
    }
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const piece = this.#piece.subarray(0, this.#filled);
    this.#filled = 0;
    this.#hasher.update(piece);
    this.#written(() => this.#file.write(compress(piece, this.#compression)));
  }

  #written<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw new Failure(
        "output_not_written",
        `the archive ${quoted(this.#path)} cannot be written: ${reason(error)}`,
        {
          hint: "name a file in a folder that exists and has room; nothing was left behind",
          cause: error,
        },
      );
    }
  }
}

function compress(piece: Uint8Array<ArrayBuffer>, compression: Compression): Uint8Array {
  if (compression === "none") return piece;
  if (compression === "zstd") return Bun.zstdCompressSync(piece, { level: ZSTD_LEVEL });
  const member = Bun.gzipSync(piece, { level: GZIP_LEVEL, library: "libdeflate" });
  // RFC 1952: no time (bytes 4–7), operating system 255, "unknown": else the same bytes differ by platform.
  member.fill(0, 4, 8);
  member[9] = 255;
  return member;
}
