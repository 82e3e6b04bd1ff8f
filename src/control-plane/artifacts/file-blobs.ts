import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSha256, type Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { Hasher } from "../../base/hashing.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, fsyncDirectory, reason } from "../../host/files.ts";
import { randomHex } from "../../host/random.ts";
import { WireRefusal } from "../http/wire.ts";
import type { BlobStore, Piece, StagedBlob } from "./blob-store.ts";

/**
 * Files by the SHA-256 of their bytes: the same bytes are kept once, and a name never changes its bytes. A file that no
 * row names is taken away: at once when the row was refused, at the next start when nobody knows what became of it.
 * Until then a note of its name is in the folder `keeping`.
 */
export class FileBlobs implements BlobStore {
  readonly #folder: string;
  readonly #incoming: string;
  readonly #isNamed: (sha256: Sha256) => Promise<boolean>;
  /** The last that keeps each digest: a file must not go while somebody else is about to name it. */
  readonly #turns = new Map<Sha256, Promise<unknown>>();

  /** One process at a time has the folder. `isNamed` tells whether a row names these bytes. */
  constructor(folder: string, incoming: string, isNamed: (sha256: Sha256) => Promise<boolean>) {
    this.#folder = folder;
    this.#incoming = incoming;
    this.#isNamed = isNamed;
  }

  async receive(chunks: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<StagedBlob> {
    const { path, sha256, bytes } = await stage(this.#incoming, chunks, maxBytes, what);
    return {
      sha256,
      bytes,
      keep: (record) => this.#inTurn(sha256, () => this.#keep(path, sha256, what, record)),
      discard: () => rm(path, { force: true }),
    };
  }

  /** Takes away what a crash left without a row. To be called before anything is kept. */
  async settle(): Promise<void> {
    try {
      for (const name of await readdir(this.#notes)) if (isSha256(name)) await this.#settle(name);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return;
      throw error;
    }
  }

  async read(sha256: Sha256, piece: Piece | null, size: number): Promise<Blob> {
    const path = this.#pathOf(sha256);
    // The server would send what is there as the whole, and of nothing an answer that nobody is told of.
    const found = await stat(path).then((status) => `${status.size} bytes`, reason);
    if (found !== `${size} bytes`) {
      throw new Failure("object_store_unavailable", `${quoted(path)}: wanted ${size} bytes, found ${found}`);
    }
    const file = Bun.file(path, { type: "application/octet-stream" });
    return piece === null ? file : file.slice(piece.start, piece.end);
  }

  get #notes(): string {
    return join(this.#folder, "keeping");
  }

  #pathOf(sha256: Sha256): string {
    return join(this.#folder, sha256.slice(0, 2), sha256);
  }

  async #keep<T>(path: string, sha256: Sha256, what: string, record: () => Promise<T>): Promise<T> {
    const note = join(this.#notes, sha256);
    try {
      await mkdir(this.#notes, { recursive: true, mode: 0o700 });
      await writeFile(note, "", { mode: 0o600 });
      await this.#place(path, sha256);
      const recorded = await record();
      await rm(note, { force: true });
      return recorded;
    } catch (error) {
      const refusal = asFull(error, what);
      // Whether a write that failed was committed is not known: the next start looks.
      if (refusal instanceof WireRefusal) await this.#settle(sha256);
      throw refusal;
    }
  }

  async #place(path: string, sha256: Sha256): Promise<void> {
    const to = this.#pathOf(sha256);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await rename(path, to);
    fsyncDirectory(dirname(to));
    fsyncDirectory(this.#folder);
  }

  async #settle(sha256: Sha256): Promise<void> {
    if (!(await this.#isNamed(sha256))) await rm(this.#pathOf(sha256), { force: true });
    await rm(join(this.#notes, sha256), { force: true });
  }

  async #inTurn<T>(sha256: Sha256, act: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(sha256);
    const turn = (before ?? Promise.resolve()).then(act, act);
    this.#turns.set(sha256, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(sha256) === turn) this.#turns.delete(sha256);
    }
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
    throw asFull(error, what);
  }
}

function asFull(error: unknown, what: string): unknown {
  return FULL.has(errorCode(error)) ? new WireRefusal("storage_full", `no space left for ${what}`) : error;
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
