import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Hasher } from "../../base/hashing.ts";
import type { Sha256 } from "../../base/digest.ts";
import { errorCode, fsyncDirectory } from "../../host/files.ts";
import { WireRefusal } from "../http/wire.ts";

/** Bytes that are complete on the disk and have no name yet. One of the two must be called. */
export type StagedBlob = {
  readonly sha256: Sha256;
  readonly bytes: number;
  /** Gives them their name, durably. */
  readonly keep: () => Promise<void>;
  readonly discard: () => Promise<void>;
};

/** Files by the SHA-256 of their bytes: the same bytes are kept once, and a name never changes its bytes. */
export class BlobStore {
  readonly #folder: string;
  readonly #incoming: string;

  constructor(folder: string, incoming: string) {
    this.#folder = folder;
    this.#incoming = incoming;
  }

  /** Where the bytes are when they are there. */
  path(sha256: Sha256): string {
    return join(this.#folder, sha256.slice(0, 2), sha256);
  }

  has(sha256: Sha256): boolean {
    return existsSync(this.path(sha256));
  }

  /** Writes a stream to the disk while hashing it. Throws WireRefusal `too_large` or `storage_full`. */
  async receive(chunks: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<StagedBlob> {
    const path = join(this.#incoming, randomBytes(12).toString("hex"));
    try {
      const { sha256, bytes } = await writeHashed(path, chunks, maxBytes, what);
      return {
        sha256,
        bytes,
        keep: () => this.#keep(path, sha256),
        discard: () => rm(path, { force: true }),
      };
    } catch (error) {
      await rm(path, { force: true });
      throw errorCode(error) === "ENOSPC"
        ? new WireRefusal("storage_full", `no space left for ${what}`)
        : error;
    }
  }

  async #keep(path: string, sha256: Sha256): Promise<void> {
    const folder = join(this.#folder, sha256.slice(0, 2));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(path, join(folder, sha256));
    fsyncDirectory(folder);
    fsyncDirectory(this.#folder);
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
