import { closeSync, constants, openSync, readSync } from "node:fs";
import { errorCode, reason } from "../host/files.ts";
import { statusOf } from "../host/kernel.ts";

/** Why there is no content: it changed under the read (a second try may help) or it cannot be read. */
export class ContentFailure extends Error {
  override readonly name = "ContentFailure";
  readonly kind: "changed" | "unreadable";

  constructor(kind: "changed" | "unreadable", why: string, cause?: unknown) {
    super(why, { cause });
    this.kind = kind;
  }
}

/**
 * One listed file, open for its one read. No link, folder or special file that took its place since it was listed is
 * read, and bytes that change under the read are seen at its end. Every method throws ContentFailure.
 */
export class OpenedFile {
  readonly size: number;
  readonly executable: boolean;
  readonly #descriptor: number;
  readonly #mtime: number;
  readonly #ctime: number;
  #length = 0;

  /** By its place, or by the descriptor of what was opened already. */
  constructor(place: string | Buffer | number) {
    this.#descriptor = typeof place === "number" ? place : open(place);
    const status = statusOf(this.#descriptor);
    if (!status.isFile) {
      this.close();
      throw new ContentFailure("changed", "it is no longer a regular file");
    }
    this.size = status.size;
    this.executable = (status.mode & 0o100) !== 0;
    this.#mtime = status.mtimeMs;
    this.#ctime = status.ctimeMs;
  }

  /** Reads the next bytes, at most `room`; 0 at the end. */
  read(into: Uint8Array, offset: number, room: number): number {
    const read = readOnce(this.#descriptor, into, offset, room);
    this.#length += read;
    // The archive's header already names the size: not one byte more may follow it.
    if (this.#length > this.size) throw new ContentFailure("changed", "its size changed while it was read");
    return read;
  }

  /** To be called after the last byte: only then the bytes are known to be one state of the file. */
  finish(): void {
    const after = statusOf(this.#descriptor);
    if (this.#length !== this.size || after.size !== this.size) {
      throw new ContentFailure("changed", "its size changed while it was read");
    }
    if (after.mtimeMs !== this.#mtime || after.ctimeMs !== this.#ctime) {
      throw new ContentFailure("changed", "it was written while it was read");
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function open(place: string | Buffer): number {
  try {
    // O_NOFOLLOW: a link may have taken the file's place; O_NONBLOCK: a FIFO may have, and would block for ever.
    return openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = errorCode(error);
    const changed = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(code);
    throw new ContentFailure(changed ? "changed" : "unreadable", reason(error), error);
  }
}

function readOnce(descriptor: number, into: Uint8Array, offset: number, room: number): number {
  try {
    return readSync(descriptor, into, offset, room, null);
  } catch (error) {
    throw new ContentFailure("unreadable", reason(error), error);
  }
}
