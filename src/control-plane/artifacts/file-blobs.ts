import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { Hasher } from "../../base/hashing.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, fsyncDirectory, reason } from "../../host/files.ts";
import { randomHex } from "../../host/random.ts";
import { WireRefusal } from "../http/wire.ts";
import type { BlobStore, Piece, StagedBlob } from "./blob-store.ts";

/** Files by the SHA-256 of their bytes: the same bytes are kept once, and a name never changes its bytes. */
export class FileBlobs implements BlobStore {
  readonly #folder: string;
  readonly #incoming: string;

  constructor(folder: string, incoming: string) {
    this.#folder = folder;
    this.#incoming = incoming;
  }

  async receive(chunks: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<StagedBlob> {
    const { path, sha256, bytes } = await stage(this.#incoming, chunks, maxBytes, what);
    return {
      sha256,
      bytes,
      keep: () => this.#keep(path, sha256),
      discard: () => rm(path, { force: true }),
    };
  }

  async read(sha256: Sha256, piece: Piece | null, size: number): Promise<Blob> {
    const path = join(this.#folder, sha256.slice(0, 2), sha256);
    // The server would send what is there as the whole, and of nothing an answer that nobody is told of.
    const found = await stat(path).then((status) => `${status.size} bytes`, reason);
    if (found !== `${size} bytes`) {
      throw new Failure("object_store_unavailable", `${quoted(path)}: wanted ${size} bytes, found ${found}`);
    }
    const file = Bun.file(path, { type: "application/octet-stream" });
    return piece === null ? file : file.slice(piece.start, piece.end);
  }

  async #keep(path: string, sha256: Sha256): Promise<void> {
    const folder = join(this.#folder, sha256.slice(0, 2));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(path, join(folder, sha256));
    fsyncDirectory(folder);
    fsyncDirectory(this.#folder);
  }
}

/** A file in `incoming` with the bytes of a stream, complete on the disk. */
export type StagedFile = { readonly path: string; readonly sha256: Sha256; readonly bytes: number };

/** The device is full, or the share of it that this user may have. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** Throws WireRefusal `too_large` or `storage_full`, and leaves nothing then. */
export async function stage(
  incoming: string,
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: string,
): Promise<StagedFile> {
  const path = join(incoming, randomHex(12));
  try {
    return { path, ...(await writeHashed(path, chunks, maxBytes, what)) };
  } catch (error) {
    await rm(path, { force: true });
    throw FULL.has(errorCode(error)) ? new WireRefusal("storage_full", `no space left for ${what}`) : error;
  }
}

async function writeHashed(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: string,
): Promise<{ sha256: Sha256; bytes: number }> {
  const hasher = new Hasher();
  let bytes = 0;
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new WireRefusal("too_large", `${what} must be <= ${maxBytes} bytes`);
      hasher.update(chunk);
      let offset = 0;
      while (offset < chunk.length) offset += (await file.write(chunk, offset)).bytesWritten;
    }
    // Off the event loop: syncing hundreds of megabytes takes seconds, and others wait for their answers.
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hasher.digest(), bytes };
}
