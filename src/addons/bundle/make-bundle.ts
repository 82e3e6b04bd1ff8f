import { closeSync, constants, fstatSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, PendingFile, readAt, reason, whyUnwritten } from "../../host/files.ts";
import type { BundleFormat } from "./bundle-format.ts";
import { isBundleName } from "../names.ts";
import { BLOCK_BYTES, tooLarge, unsafe } from "./tar-header.ts";
import { paddingOf, writeTarHeader } from "./tar-writer.ts";

const CHUNK_BYTES = 262_144;
const FILE_MODE = 0o600;
/** Bytes of one zstd frame, unpacked: frames that need nothing of each other are unpacked by several threads. */
const STRETCH_BYTES = 1_048_576;
const ZSTD_LEVEL = 9;

/**
 * Packs the files of a directory into a bundle: flat, in the order of their names, with nothing of this machine in
 * it, so that equal files make equal bytes. Throws Failure for files that no host would take, `file_unreadable`,
 * `file_changed`, and `output_not_written` when `out` cannot be; nothing is left there then.
 */
export async function makeBundle(
  directory: string,
  out: string,
  format: BundleFormat,
  stop: AbortSignal,
): Promise<void> {
  const names = namesIn(directory);
  if (names.length > LIMITS.bundleEntries) throw tooLarge(`it has more than ${LIMITS.bundleEntries} files`);
  const archive = archiveOf(directory, names, stop);
  let file: PendingFile | null = null;
  try {
    file = new PendingFile(out, FILE_MODE);
    await (format === "gzip" ? gzipInto(file, archive) : zstdInto(file, archive));
    file.commit();
  } catch (error) {
    if (error instanceof Failure || errorCode(error) === "") throw error;
    throw new Failure("output_not_written", `${quoted(out)} cannot be written: ${whyUnwritten(error)}`, {
      cause: error,
    });
  } finally {
    file?.discard();
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    throw new Failure("file_unreadable", `${quoted(directory)} cannot be packed: ${reason(error)}`);
  }
}

function gzipInto(file: PendingFile, archive: AsyncIterable<Uint8Array>): Promise<void> {
  return pipeline(archive, createGzip({ level: 9 }), async (packed: AsyncIterable<Uint8Array>) => {
    for await (const chunk of packed) file.write(chunk);
  });
}

/** Frames of equal stretches, two of them made at a time. */
async function zstdInto(file: PendingFile, archive: AsyncIterable<Uint8Array>): Promise<void> {
  let making: Promise<Uint8Array> | null = null;
  for await (const stretch of stretchesOf(archive)) {
    const before: Promise<Uint8Array> | null = making;
    making = Bun.zstdCompress(stretch, { level: ZSTD_LEVEL });
    // Whoever stops here does not hear of the one that is on its way.
    making.catch(() => {});
    if (before !== null) file.write(await before);
  }
  if (making !== null) file.write(await making);
}

/** The same bytes in pieces of one length, but for the last. */
async function* stretchesOf(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let [stretch, filled] = [new Uint8Array(STRETCH_BYTES), 0];
  for await (const bytes of archive) {
    for (let rest = bytes; rest.length > 0;) {
      const part = rest.subarray(0, STRETCH_BYTES - filled);
      stretch.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled < STRETCH_BYTES) continue;
      yield stretch;
      [stretch, filled] = [new Uint8Array(STRETCH_BYTES), 0];
    }
  }
  if (filled > 0) yield stretch.subarray(0, filled);
}

async function* archiveOf(
  directory: string,
  names: readonly string[],
  stop: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const name of names) yield* fileOf(directory, name, stop);
  yield new Uint8Array(2 * BLOCK_BYTES);
}

/** One file with its header and its padding. */
async function* fileOf(directory: string, name: string, stop: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!isBundleName(name)) throw unsafe(`a file is called ${quoted(name, 140)}; wanted a flat, safe name`);
  const path = join(directory, name);
  const descriptor = openPlain(path, name);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw unsafe(`${quoted(name)} is no regular file`);
    if (status.size > LIMITS.bundleFileBytes) throw tooLarge(`${quoted(name)} has ${status.size} bytes`);
    yield writeTarHeader(name, status.size);
    for (let at = 0; at < status.size;) {
      throwIfStopped(stop, `packing ${quoted(path)}`);
      const chunk = readAt(descriptor, at, Math.min(CHUNK_BYTES, status.size - at));
      if (chunk.length === 0)
        throw new Failure("file_changed", `${quoted(path)} became shorter while it was packed`);
      yield chunk;
      at += chunk.length;
    }
    yield paddingOf(status.size);
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
