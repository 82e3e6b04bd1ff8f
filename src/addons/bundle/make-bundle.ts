import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { createGzip } from "node:zlib";
import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, PendingFile, reason } from "../../host/files.ts";
import type { BundleFormat } from "./bundle-format.ts";
import { isBundleName } from "../names.ts";
import { tooLarge, unsafe } from "./tar-header.ts";
import { paddingOf, writeTarHeader } from "./tar-writer.ts";

const CHUNK_BYTES = 262_144;
const FILE_MODE = 0o600;
/** Bytes of one zstd frame, unpacked: frames that need nothing of each other are unpacked by several threads. */
const STRETCH_BYTES = 1_048_576;
const ZSTD_LEVEL = 9;

/** Takes the bytes of an archive in order, packed into a file. */
type Packer = {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly end: () => Promise<void>;
  readonly abandon: () => void;
};

/**
 * Packs the files of a directory into a bundle: flat, in the order of their names, with nothing of this machine in
 * it, so that equal files make equal bytes. Throws Failure for what no host would take.
 */
export async function makeBundle(
  directory: string,
  out: string,
  format: BundleFormat,
  stop: AbortSignal,
): Promise<void> {
  const names = readdirSync(directory).toSorted((a, b) => (a < b ? -1 : 1));
  if (names.length > LIMITS.bundleEntries) throw tooLarge(`it has more than ${LIMITS.bundleEntries} files`);
  const file = new PendingFile(out, FILE_MODE);
  const packer = format === "gzip" ? gzipInto(file) : zstdInto(file);
  try {
    for (const name of names) await writeFile(directory, name, packer.write, stop);
    await packer.write(new Uint8Array(1024));
    await packer.end();
    file.commit();
  } finally {
    packer.abandon();
    file.discard();
  }
}

function gzipInto(file: PendingFile): Packer {
  const gzip = createGzip({ level: 9 });
  const ended = Promise.withResolvers<void>();
  gzip.on("data", (chunk: Uint8Array) => file.write(chunk));
  gzip.on("end", () => ended.resolve());
  gzip.on("error", (error) => ended.reject(error));
  return {
    write: (bytes) =>
      new Promise((resolve) => {
        gzip.write(bytes, () => resolve());
      }),
    end: () => {
      gzip.end();
      return ended.promise;
    },
    abandon: () => void gzip.destroy(),
  };
}

/** Frames of equal stretches, two of them made at a time. */
function zstdInto(file: PendingFile): Packer {
  let stretch = new Uint8Array(STRETCH_BYTES);
  let filled = 0;
  let making: Promise<Uint8Array> | null = null;
  const next = async (frame: Promise<Uint8Array> | null): Promise<void> => {
    const before = making;
    making = frame;
    making?.catch(() => {});
    if (before !== null) file.write(await before);
  };
  const flush = (): Promise<void> => {
    const full = stretch.subarray(0, filled);
    [stretch, filled] = [new Uint8Array(STRETCH_BYTES), 0];
    return next(Bun.zstdCompress(full, { level: ZSTD_LEVEL }));
  };
  return {
    write: async (bytes) => {
      for (let rest = bytes; rest.length > 0;) {
        const part = rest.subarray(0, STRETCH_BYTES - filled);
        stretch.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
        if (filled === STRETCH_BYTES) await flush();
      }
    },
    end: async () => {
      if (filled > 0) await flush();
      await next(null);
    },
    abandon: () => {},
  };
}

async function writeFile(
  directory: string,
  name: string,
  write: (bytes: Uint8Array) => Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  if (!isBundleName(name)) throw unsafe(`a file is called ${quoted(name, 140)}; wanted a flat, safe name`);
  const path = join(directory, name);
  const descriptor = openPlain(path, name);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw unsafe(`${quoted(name)} is no regular file`);
    if (status.size > LIMITS.bundleFileBytes) throw tooLarge(`${quoted(name)} has ${status.size} bytes`);
    await write(writeTarHeader(name, status.size));
    for (let at = 0; at < status.size;) {
      throwIfStopped(stop, `packing ${quoted(path)}`);
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, status.size - at));
      const count = readSync(descriptor, chunk, 0, chunk.length, at);
      if (count === 0)
        throw new Failure("file_changed", `${quoted(path)} became shorter while it was packed`);
      await write(chunk.subarray(0, count));
      at += count;
    }
    await write(paddingOf(status.size));
  } finally {
    closeSync(descriptor);
  }
}

function openPlain(path: string, name: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (errorCode(error) === "ELOOP")
      throw unsafe(`${quoted(name)} is a symbolic link; wanted regular files only`);
    throw new Failure("file_unreadable", `${quoted(path)} cannot be packed: ${reason(error)}`);
  }
}
