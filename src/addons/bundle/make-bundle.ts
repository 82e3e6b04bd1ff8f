import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { createGzip } from "node:zlib";
import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, PendingFile, reason } from "../../host/files.ts";
import { isBundleName } from "../names.ts";
import { tooLarge, unsafe } from "./tar-header.ts";
import { paddingOf, writeTarHeader } from "./tar-writer.ts";

const CHUNK_BYTES = 262_144;
const FILE_MODE = 0o600;

/**
 * Packs the files of a directory into a bundle: flat, in the order of their names, with nothing of this machine in
 * it, so that equal files make equal bytes. Throws Failure for what no host would take.
 */
export async function makeBundle(directory: string, out: string, stop: AbortSignal): Promise<void> {
  const names = readdirSync(directory).toSorted((a, b) => (a < b ? -1 : 1));
  if (names.length > LIMITS.bundleEntries) throw tooLarge(`it has more than ${LIMITS.bundleEntries} files`);
  const file = new PendingFile(out, FILE_MODE);
  const gzip = createGzip({ level: 9 });
  const ended = Promise.withResolvers<void>();
  gzip.on("data", (chunk: Uint8Array) => file.write(chunk));
  gzip.on("end", () => ended.resolve());
  gzip.on("error", (error) => ended.reject(error));
  const write = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      gzip.write(bytes, () => resolve());
    });
  try {
    for (const name of names) await writeFile(directory, name, write, stop);
    await write(new Uint8Array(1024));
    gzip.end();
    await ended.promise;
    file.commit();
  } finally {
    gzip.destroy();
    file.discard();
  }
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
