import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Hasher, sha256Of } from "../base/hashing.ts";
import type { Sha256 } from "../base/digest.ts";
import { throwIfStopped } from "../base/interruption.ts";
import { errorCode, reason } from "../host/files.ts";
import { bytesOf, type BytePath } from "./byte-path.ts";

/** The algorithm that a git repository names its objects with. */
export type ObjectFormat = "sha1" | "sha256";

export type FileContent = {
  readonly sha256: Sha256;
  /** The id of the content as a git blob, or null when nobody asked for it. */
  readonly blob: Uint8Array | null;
  readonly size: number;
  readonly executable: boolean;
};

/** Why there is no content: it changed under the read (a second try may help) or it cannot be read. */
export class ContentFailure extends Error {
  override readonly name = "ContentFailure";
  readonly kind: "changed" | "unreadable";

  constructor(kind: "changed" | "unreadable", why: string, cause?: unknown) {
    super(why, { cause });
    this.kind = kind;
  }
}

/** Gets the bytes as they are read; `begin` comes first, with what fstat said. */
export type ContentSink = {
  begin(size: number, executable: boolean): void;
  bytes(chunk: Uint8Array): void;
};

const BUFFER_BYTES = 262_144;
const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

/**
 * How much is read before the event loop gets a turn, so that a signal is seen and git's output is taken. With gzip
 * this is a tenth of a second: git's time budget must not be spent on our own reading.
 */
const TURN_BYTES = 8_388_608;

/** Reads files one after the other, each once; the same bytes go to every digest and to the sink. */
export class ContentReader {
  readonly format: ObjectFormat | null;
  readonly #stop: AbortSignal;
  #sinceTurn = 0;

  constructor(format: ObjectFormat | null, stop: AbortSignal) {
    this.format = format;
    this.#stop = stop;
  }

  async read(place: string | Buffer, sink: ContentSink | null): Promise<FileContent> {
    // Opening costs about as much as reading 16 KiB.
    await this.#turnAfter(16_384);
    const descriptor = openRegular(place);
    try {
      const status = fstatSync(descriptor);
      if (!status.isFile()) throw new ContentFailure("changed", "it is no longer a regular file");
      const executable = (status.mode & 0o100) !== 0;
      const blob = this.format === null ? null : blobHasher(this.format, status.size);
      const hasher = new Hasher();
      sink?.begin(status.size, executable);
      let length = 0;
      for (;;) {
        const read = readSync(descriptor, buffer, 0, BUFFER_BYTES, null);
        if (read === 0) break;
        length += read;
        // The archive's header already names the size: not one byte more may follow it.
        if (length > status.size) break;
        const chunk = buffer.subarray(0, read);
        hasher.update(chunk);
        blob?.update(chunk);
        sink?.bytes(chunk);
        await this.#turnAfter(read);
      }
      if (length !== status.size) throw new ContentFailure("changed", "its size changed while it was read");
      const after = fstatSync(descriptor);
      if (after.mtimeMs !== status.mtimeMs || after.ctimeMs !== status.ctimeMs) {
        throw new ContentFailure("changed", "it was written while it was read");
      }
      return { sha256: hasher.digest(), blob: blob?.digest() ?? null, size: length, executable };
    } finally {
      closeSync(descriptor);
    }
  }

  async #turnAfter(bytes: number): Promise<void> {
    this.#sinceTurn += bytes;
    if (this.#sinceTurn < TURN_BYTES) return;
    this.#sinceTurn = 0;
    await new Promise((resolve) => setImmediate(resolve));
    throwIfStopped(this.#stop, "reading the context");
  }
}

function openRegular(place: string | Buffer): number {
  try {
    // O_NOFOLLOW: a link may have taken the file's place; O_NONBLOCK: a FIFO may have, and would block for ever.
    return openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = errorCode(error);
    const changed = code === "ENOENT" || code === "ELOOP" || code === "ENXIO";
    throw new ContentFailure(changed ? "changed" : "unreadable", reason(error), error);
  }
}

function blobHasher(format: ObjectFormat, size: number): Bun.CryptoHasher {
  return new Bun.CryptoHasher(format).update(`blob ${size}\0`);
}

/** A link's content is the path that it points to. */
export function linkContent(target: BytePath, format: ObjectFormat | null): FileContent {
  const bytes = bytesOf(target);
  const blob = format === null ? null : blobHasher(format, bytes.length).update(bytes).digest();
  return { sha256: sha256Of(bytes), blob, size: bytes.length, executable: false };
}
