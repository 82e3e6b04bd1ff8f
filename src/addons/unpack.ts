import { closeSync, constants, fchmodSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import { writeAll } from "../host/files.ts";
import { readBundle, type OpenBundle } from "./bundle.ts";
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

/** Asked before each file and now and then while one grows; throws when the disk has no room for `bytes` more. */
export type RoomCheck = (bytes: number) => void;

/**
 * Unpacks a verified bundle into a folder that nobody else sees, durably. Throws Failure; the folder is then to be
 * removed.
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
    return { files, head: writer.head() };
  } finally {
    writer.abandon();
  }
}

class FolderWriter implements BundleSink {
  readonly #folder: string;
  readonly #binaryName: string;
  readonly #checkRoom: RoomCheck;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headLength = 0;
  #open: { readonly descriptor: number; readonly name: string } | null = null;

  constructor(folder: string, binaryName: string, checkRoom: RoomCheck) {
    this.#folder = folder;
    this.#binaryName = binaryName;
    this.#checkRoom = checkRoom;
  }

  readonly begin = ({ name, size }: ApprovedFile): void => {
    this.#checkRoom(size);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.#open = { descriptor: openSync(join(this.#folder, name), flags, 0o600), name };
  };

  readonly piece = (bytes: Uint8Array): void => {
    if (this.#open === null) return;
    if (this.#open.name === this.#binaryName && this.#headLength < HEAD_BYTES) {
      const part = bytes.subarray(0, HEAD_BYTES - this.#headLength);
      this.#head.set(part, this.#headLength);
      this.#headLength += part.length;
    }
    writeAll(this.#open.descriptor, bytes);
  };

  readonly end = (): void => {
    if (this.#open === null) return;
    fchmodSync(this.#open.descriptor, modeOf(this.#open.name, this.#binaryName));
    fsyncSync(this.#open.descriptor);
    this.abandon();
  };

  head(): Uint8Array {
    return this.#head.subarray(0, this.#headLength);
  }

  abandon(): void {
    if (this.#open !== null) closeSync(this.#open.descriptor);
    this.#open = null;
  }
}
