import { close, constants, fchmodSync, fsync, openSync, write } from "node:fs";
import { join } from "node:path";
import { giveBack, readBundle, type OpenBundle } from "./read-bundle.ts";
import { HEAD_BYTES } from "./executable.ts";
import type { ApprovedFile, BundleSink } from "./tar-listing.ts";

export const BINARY_MODE = 0o755;
export const FILE_MODE = 0o644;

/** The mode of a file of a bundle: what the archive says about it is ignored. */
export function modeOf(name: string, binaryName: string): number {
  return name === binaryName ? BINARY_MODE : FILE_MODE;
}

export type Unpacked = {
  readonly files: readonly ApprovedFile[];
  /** The first bytes of the program. */
  readonly head: Uint8Array;
};

/** Asked before each file; throws when the disk has no room for `bytes` more. */
export type RoomCheck = (bytes: number) => void;

/** Bytes that are on their way to the disk while the next ones are unpacked. */
const IN_FLIGHT_BYTES = 8_388_608;

/**
 * Unpacks a verified bundle into a folder that nobody else sees, durably. Throws Failure or the system's error; the
 * folder is then to be removed.
 */
export async function unpackBundle(
  bundle: OpenBundle,
  folder: string,
  checkRoom: RoomCheck,
  stop: AbortSignal,
): Promise<Unpacked> {
  const writer = new FolderWriter(folder, bundle.binaryName, checkRoom);
  try {
    const files = await readBundle(bundle, writer, stop);
    await writer.finish();
    return { files, head: writer.head() };
  } finally {
    await writer.abandon();
  }
}

type OpenFile = {
  readonly descriptor: number;
  readonly name: string;
  position: number;
  written: Promise<void>[];
};

/** Writes beside the unpacking: neither the decoder nor the disk waits for the other for long. */
class FolderWriter implements BundleSink {
  readonly #folder: string;
  readonly #binaryName: string;
  readonly #checkRoom: RoomCheck;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headLength = 0;
  #open: OpenFile | null = null;
  /** Every file that was begun, until it is on the disk and closed. */
  readonly #files: Promise<void>[] = [];
  readonly #writing = new Set<Promise<void>>();
  /** Writes that are on their way out of each chunk, and the chunks of which no more are begun. */
  readonly #uses = new Map<ArrayBufferLike, number>();
  readonly #over = new Set<ArrayBufferLike>();
  #inFlight = 0;
  /** What went wrong first: nothing more is unpacked then. */
  #failed: unknown = null;

  constructor(folder: string, binaryName: string, checkRoom: RoomCheck) {
    this.#folder = folder;
    this.#binaryName = binaryName;
    this.#checkRoom = checkRoom;
  }

  readonly begin = ({ name, size }: ApprovedFile): void => {
    this.#checkRoom(size);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const descriptor = openSync(join(this.#folder, name), flags, 0o600);
    this.#open = { descriptor, name, position: 0, written: [] };
  };

  readonly piece = (bytes: Uint8Array): void => {
    if (this.#open === null) return;
    if (this.#open.name === this.#binaryName && this.#headLength < HEAD_BYTES) {
      const part = bytes.subarray(0, HEAD_BYTES - this.#headLength);
      this.#head.set(part, this.#headLength);
      this.#headLength += part.length;
    }
    const { descriptor, position, written } = this.#open;
    this.#open.position += bytes.length;
    this.#inFlight += bytes.length;
    const { buffer } = bytes;
    this.#uses.set(buffer, (this.#uses.get(buffer) ?? 0) + 1);
    const writing = writeAt(descriptor, bytes, position).finally(() => {
      this.#inFlight -= bytes.length;
      this.#writing.delete(writing);
      this.#uses.set(buffer, (this.#uses.get(buffer) ?? 1) - 1);
      this.#settleChunk(buffer);
    });
    writing.catch((error: unknown) => {
      this.#failed ??= error;
    });
    this.#writing.add(writing);
    written.push(writing);
  };

  readonly end = (): void => {
    if (this.#open === null) return;
    const file = this.#settle(this.#open, modeOf(this.#open.name, this.#binaryName));
    file.catch(() => {});
    this.#files.push(file);
    this.#open = null;
  };

  readonly over = ({ buffer }: Uint8Array): void => {
    this.#over.add(buffer);
    this.#settleChunk(buffer);
  };

  #settleChunk(buffer: ArrayBufferLike): void {
    if ((this.#uses.get(buffer) ?? 0) > 0) return;
    this.#uses.delete(buffer);
    if (this.#over.delete(buffer)) giveBack(new Uint8Array(buffer));
  }

  readonly drain = async (): Promise<void> => {
    while (this.#failed === null && this.#inFlight > IN_FLIGHT_BYTES) await Promise.race(this.#writing);
    if (this.#failed !== null) throw this.#failed;
  };

  /** Everything is on the disk, or this throws. */
  async finish(): Promise<void> {
    for (const file of this.#files) await file;
  }

  head(): Uint8Array {
    return this.#head.subarray(0, this.#headLength);
  }

  /** Nothing is written any more, and nothing is open. */
  async abandon(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    if (open !== null) this.#files.push(this.#settle(open, null));
    await Promise.allSettled(this.#files);
  }

  async #settle({ descriptor, written }: OpenFile, mode: number | null): Promise<void> {
    const results = await Promise.allSettled(written);
    try {
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
      if (mode === null) return;
      fchmodSync(descriptor, mode);
      await settled((done) => fsync(descriptor, done));
    } finally {
      await settled((done) => close(descriptor, done));
    }
  }
}

function settled(call: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === null ? resolve() : reject(error)));
  });
}

/** All of `bytes`, which nobody changes meanwhile. */
function writeAt(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (from: number): void => {
      write(descriptor, bytes, from, bytes.length - from, position + from, (error, count) => {
        if (error !== null) reject(error);
        else if (from + count < bytes.length) next(from + count);
        else resolve();
      });
    };
    next(0);
  });
}
