import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { Failure } from "../base/failure.ts";
import { throwIfStopped } from "../base/interruption.ts";
import { printable, quoted } from "../base/printable.ts";
import { errorCode, PendingFile, reason } from "../host/files.ts";
import { keySegments } from "./key.ts";
import {
  wholeObject,
  type ObjectRead,
  type ObjectStream,
  type ObjectWrite,
  type WritableStore,
} from "./store.ts";

const OBJECT_MODE = 0o644;
const CHUNK_BYTES = 1_048_576;

/** Artifacts in a directory: a mounted share, a cache, a USB stick. */
export class FileStore implements WritableStore {
  readonly name: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    // An assignment may have named it, by a URL that can say any character.
    this.name = `file:${printable(directory)}`;
  }

  async open(read: ObjectRead): Promise<ObjectStream> {
    return wholeObject(chunksOf(this.#resolve(read.key), read), null);
  }

  /** Durable, and under its name only when it is whole: a host may be reading. */
  async write(object: ObjectWrite): Promise<void> {
    const segments = keySegments(object.key);
    let folder = this.#root();
    const directory = folder;
    try {
      for (const segment of segments.slice(0, -1)) {
        folder = join(folder, segment);
        // One after the other: below a link that leads out nothing may be made.
        mkdirSync(folder, { recursive: true });
        if (!isWithin(realpathSync(folder), directory)) throw leadsOut(object.key, realpathSync(folder));
      }
      const pending = new PendingFile(join(folder, segments.at(-1) ?? ""), OBJECT_MODE);
      try {
        for await (const chunk of Bun.file(object.file).stream()) {
          throwIfStopped(object.stop, `writing ${quoted(object.key)}`);
          pending.write(chunk);
        }
        pending.commit();
      } finally {
        pending.discard();
      }
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(
        "storage_failed",
        `${quoted(object.key)} cannot be written into ${this.name}: ${reason(error)}`,
        { cause: error },
      );
    }
  }

  #root(): string {
    try {
      return realpathSync(this.#directory);
    } catch (error) {
      throw new Failure(
        "object_store_unavailable",
        `the store ${quoted(this.#directory)} cannot be read: ${reason(error)}`,
        { cause: error },
      );
    }
  }

  /** The real path of an object, which must lie within the directory: links that lead out are refused. */
  #resolve(key: string): string {
    const segments = keySegments(key);
    const directory = this.#root();
    const path = join(directory, ...segments);
    let real: string;
    try {
      real = realpathSync(path);
    } catch (error) {
      throw unreadable(path, error);
    }
    if (isWithin(real, directory)) return real;
    throw leadsOut(key, real);
  }
}

function isWithin(path: string, directory: string): boolean {
  return path.startsWith(directory.endsWith(sep) ? directory : `${directory}${sep}`);
}

function leadsOut(key: string, path: string): Failure {
  return new Failure("unsafe_path", `${quoted(key)} leads out of the store, to ${quoted(path)}`, {
    hint: "links within a store may not leave it",
  });
}

/** Opens the file with the first chunk: a stream that nobody reads holds nothing. */
async function* chunksOf(path: string, read: ObjectRead): AsyncGenerator<Uint8Array> {
  const descriptor = opened(path);
  try {
    const before = fstatSync(descriptor);
    if (!before.isFile()) {
      throw new Failure("answer_unexpected", `${quoted(path)} is not a regular file`);
    }
    if (before.size > read.maxBytes) throw tooLarge(path, before.size, read.maxBytes);
    const deadline = performance.now() + read.deadlineMs;
    const buffer = new Uint8Array(CHUNK_BYTES);
    let length = 0;
    for (;;) {
      // Reading is synchronous: the signals and the other add-ons have to be let in.
      await Bun.sleep(0);
      throwIfStopped(read.stop, `reading ${quoted(path)}`);
      if (performance.now() > deadline) {
        throw new Failure("deadline_passed", `${quoted(path)} was not read within ${read.deadlineMs} ms`);
      }
      const count = readSync(descriptor, buffer, 0, buffer.length, null);
      length += count;
      if (count === 0) break;
      // It grows, perhaps for as long as we read.
      if (length > before.size) throw changed(path);
      yield buffer.subarray(0, count);
    }
    const after = fstatSync(descriptor);
    if (length !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
      throw changed(path);
    }
  } catch (error) {
    throw error instanceof Failure ? error : unreadable(path, error);
  } finally {
    closeSync(descriptor);
  }
}

function opened(path: string): number {
  try {
    // Neither a FIFO that never answers nor a link that was put there since the path was resolved.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): Failure {
  const code = ["ENOENT", "ENOTDIR"].includes(errorCode(error)) ? "not_found" : "object_store_unavailable";
  return new Failure(code, `${quoted(path)} cannot be read from the store: ${reason(error)}`, {
    cause: error,
  });
}

function changed(path: string): Failure {
  return new Failure("storage_failed", `${quoted(path)} changed while it was read`, {
    hint: "it is still being written; run again when it is complete",
  });
}

function tooLarge(path: string, size: number, max: number): Failure {
  return new Failure(
    "artifact_too_large",
    `${quoted(path)} has ${size} bytes or more; at most ${max} are taken`,
  );
}
