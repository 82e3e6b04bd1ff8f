import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { throwIfStopped } from "../base/interruption.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, reason } from "../host/files.ts";

const CHUNK_BYTES = 1_048_576;
/** Chunks between two looks at the signals: reading is synchronous, so they have to be let in. */
const BREATH_CHUNKS = 16;

/** A regular file, open, that is read from its start as often as needed, in constant memory. */
export class ArtifactFile {
  readonly path: string;
  /** Bytes at the time of opening: the ceiling of every reading. */
  readonly size: number;
  readonly #descriptor: number;

  /** Throws Failure `path_not_found` or `file_unreadable`. */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const code = ["ENOENT", "ENOTDIR"].includes(errorCode(error)) ? "path_not_found" : "file_unreadable";
      throw new Failure(code, `artifact ${quoted(path)} cannot be read: ${reason(error)}`, { cause: error });
    }
    const status = fstatSync(this.#descriptor);
    if (!status.isFile()) {
      this.close();
      throw new Failure("file_unreadable", `artifact ${quoted(path)} is not a regular file`);
    }
    this.path = path;
    this.size = status.size;
  }

  /** All bytes from the start. A chunk is overwritten by the next one. Throws Failure `file_changed`. */
  async *chunks(stop: AbortSignal): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(CHUNK_BYTES);
    let position = 0;
    for (let count = 0; ; count++) {
      if (count % BREATH_CHUNKS === 0) {
        await Bun.sleep(0);
        throwIfStopped(stop, `reading ${quoted(this.path)}`);
      }
      const read = this.#read(buffer, position);
      position += read;
      if (position > this.size || (read === 0 && position < this.size)) throw this.changed();
      if (read === 0) return;
      yield buffer.subarray(0, read);
    }
  }

  changed(): Failure {
    return new Failure("file_changed", `artifact ${quoted(this.path)} changed while it was read`, {
      hint: "run again when nothing writes to it",
    });
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #read(buffer: Uint8Array, position: number): number {
    try {
      return readSync(this.#descriptor, buffer, 0, buffer.length, position);
    } catch (error) {
      throw new Failure("file_unreadable", `artifact ${quoted(this.path)} cannot be read: ${reason(error)}`, {
        cause: error,
      });
    }
  }
}
