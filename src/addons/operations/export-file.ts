import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { readAt, reason } from "../../host/files.ts";
import { wholeObject, type ObjectRead, type ObjectStream, type Store } from "../../stores/store.ts";
import { BLOCK_BYTES, readTarHeader } from "../bundle/tar-header.ts";

/** The list within an export: assignments whose artifacts lie beside it. */
export const INDEX_NAME = "index.json";
const CHUNK_BYTES = 1_048_576;

/**
 * One file with assignments and their artifacts: an uncompressed archive, read in place. It is a store like any
 * other: nothing in it is believed, digests and signatures decide.
 */
export class ExportFile implements Store {
  readonly name: string;
  readonly #descriptor: number;
  readonly #entries: ReadonlyMap<string, { readonly offset: number; readonly size: number }>;

  /** Throws Failure `path_not_found`, `file_unreadable` or `tarball_unsafe`. */
  constructor(path: string) {
    this.name = `the export ${quoted(path)}`;
    this.#descriptor = openFile(path);
    try {
      this.#entries = readEntries(this.#descriptor);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The bytes of its assignment list. Throws Failure `input_invalid`. */
  index(): Uint8Array {
    const entry = this.#entries.get(INDEX_NAME);
    if (entry === undefined || entry.size > LIMITS.documentBytes) {
      throw new Failure("input_invalid", `${this.name} has no ${INDEX_NAME}, or a too large one`, {
        hint: "make it with: waybill addon export",
      });
    }
    return readAt(this.#descriptor, entry.offset, entry.size);
  }

  async open(read: ObjectRead): Promise<ObjectStream> {
    const entry = this.#entries.get(read.key);
    if (entry === undefined) throw new Failure("not_found", `${this.name} has no ${quoted(read.key)}`);
    if (entry.size > read.maxBytes) {
      throw new Failure(
        "artifact_too_large",
        `${quoted(read.key)} has ${entry.size} bytes; at most ${read.maxBytes} are taken`,
      );
    }
    return wholeObject(chunksOf(this.#descriptor, entry, read.stop), entry.size);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new Failure("path_not_found", `the export ${quoted(path)} cannot be read: ${reason(error)}`);
  }
}

function readEntries(descriptor: number): Map<string, { offset: number; size: number }> {
  const entries = new Map<string, { offset: number; size: number }>();
  const status = fstatSync(descriptor);
  if (!status.isFile()) throw new Failure("file_unreadable", "the export is not a regular file");
  for (let at = 0; ;) {
    const block = readAt(descriptor, at, BLOCK_BYTES);
    if (block.length < BLOCK_BYTES) throw new Failure("tarball_unsafe", "the export is cut off");
    const header = readTarHeader(block, Number.MAX_SAFE_INTEGER);
    if (header.kind === "zeros") return entries;
    if (header.kind !== "file" || entries.has(header.name) || entries.size > LIMITS.assignments) {
      throw new Failure("tarball_unsafe", "the export has entries that no export has");
    }
    entries.set(header.name, { offset: at + BLOCK_BYTES, size: header.size });
    at += BLOCK_BYTES + Math.ceil(header.size / BLOCK_BYTES) * BLOCK_BYTES;
    if (at > status.size) throw new Failure("tarball_unsafe", "the export is cut off");
  }
}

async function* chunksOf(
  descriptor: number,
  { offset, size }: { offset: number; size: number },
  stop: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size;) {
    await Bun.sleep(0);
    throwIfStopped(stop, "reading an export");
    const chunk = readAt(descriptor, offset + done, Math.min(CHUNK_BYTES, size - done));
    if (chunk.length === 0)
      throw new Failure("file_unreadable", "the export became shorter while it was read");
    done += chunk.length;
    yield chunk;
  }
}
