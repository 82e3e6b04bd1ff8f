import type { Sha256 } from "../base/digest.ts";
import type { FileContent, ObjectFormat } from "./contents.ts";
import { ContentFailure } from "./opened-file.ts";

const BLOB_BYTES: Readonly<Record<ObjectFormat, number>> = { sha1: 20, sha256: 32 };

const SHA256_AT = 0;
/** In hex, as the tree hash wants it: so whoever read the file has already written it out. */
const SHA256_LETTERS = 64;
const BLOB_AT = 64;
const SIZE_AT = 96;
const EXECUTABLE_AT = 104;
const STATE_AT = 105;
/** A multiple of 8, so that the sizes lie where a Float64Array finds them. */
export const RECORD_BYTES = 112;

/** 0 is none of them: nobody has read the file. */
const DONE = 1;
const DEFERRED = 2;
const CHANGED = 3;
const UNREADABLE = 4;

/**
 * What was found out about each file, in memory that threads share: a worker fills its records in place, and the
 * main thread makes strings of them only when somebody asks. Whoever claimed a file is the only one to write its
 * record; an Atomics operation on the claim stands between the writing and the reading.
 */
export class ContentRecords {
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #sizes: Float64Array;

  /** `offset` is a multiple of 8. */
  constructor(memory: SharedArrayBuffer, offset: number, count: number) {
    this.count = count;
    this.#bytes = Buffer.from(memory, offset, count * RECORD_BYTES);
    this.#sizes = new Float64Array(memory, offset, (count * RECORD_BYTES) / 8);
  }

  /** The digest of the content, in hex. */
  setSha256(index: number, hex: string): void {
    this.#bytes.write(hex, index * RECORD_BYTES + SHA256_AT, SHA256_LETTERS, "latin1");
  }

  sha256(index: number): Sha256 {
    const at = index * RECORD_BYTES + SHA256_AT;
    // 64 letters, which the engine gave.
    return this.#bytes.toString("latin1", at, at + SHA256_LETTERS) as Sha256; // oxlint-disable-line typescript/no-unsafe-type-assertion
  }

  /** Writes the digest in hex. */
  writeSha256(index: number, into: Uint8Array, at: number): void {
    const from = index * RECORD_BYTES + SHA256_AT;
    this.#bytes.copy(into, at, from, from + SHA256_LETTERS);
  }

  /** Where the blob id goes. */
  blobSlot(index: number, format: ObjectFormat): Uint8Array {
    const at = index * RECORD_BYTES + BLOB_AT;
    return this.#bytes.subarray(at, at + BLOB_BYTES[format]);
  }

  size(index: number): number {
    return this.#sizes[(index * RECORD_BYTES + SIZE_AT) / 8] ?? 0;
  }

  done(index: number, size: number, executable: boolean): void {
    this.#describe(index, size, executable ? 1 : 0, DONE);
  }

  /** A large file, left for later. */
  defer(index: number, size: number): void {
    this.#describe(index, size, 0, DEFERRED);
  }

  fail(index: number, failure: ContentFailure): void {
    this.#describe(index, 0, 0, failure.kind === "changed" ? CHANGED : UNREADABLE);
    // The words take the room of the digests; nul ends them.
    const at = index * RECORD_BYTES;
    this.#bytes.fill(0, at, at + SIZE_AT);
    this.#bytes.write(failure.message, at, SIZE_AT - 1, "utf8");
  }

  /** A file that nobody read would be left out in silence: then this throws. */
  outcome(index: number): "done" | "deferred" | ContentFailure {
    const state = this.#bytes[index * RECORD_BYTES + STATE_AT];
    if (state === DONE) return "done";
    if (state === DEFERRED) return "deferred";
    if (state !== CHANGED && state !== UNREADABLE) throw new Error("a file was not read");
    const at = index * RECORD_BYTES;
    const why = this.#bytes.toString("utf8", at, this.#bytes.indexOf(0, at));
    return new ContentFailure(state === CHANGED ? "changed" : "unreadable", why);
  }

  /** The files that were left for later. */
  deferred(): number[] {
    const found: number[] = [];
    for (let index = 0; index < this.count; index++) {
      if (this.#bytes[index * RECORD_BYTES + STATE_AT] === DEFERRED) found.push(index);
    }
    return found;
  }

  /** Takes over the first record of others. */
  copyFrom(others: ContentRecords, index: number): void {
    others.#bytes.copy(this.#bytes, index * RECORD_BYTES, 0, RECORD_BYTES);
  }

  /** Of a file that is done. */
  content(index: number, format: ObjectFormat | null): FileContent {
    return new RecordedContent(this, index, format);
  }

  executable(index: number): boolean {
    return this.#bytes[index * RECORD_BYTES + EXECUTABLE_AT] === 1;
  }

  #describe(index: number, size: number, executable: number, state: number): void {
    const at = index * RECORD_BYTES;
    this.#sizes[(at + SIZE_AT) / 8] = size;
    this.#bytes[at + EXECUTABLE_AT] = executable;
    this.#bytes[at + STATE_AT] = state;
  }
}

class RecordedContent implements FileContent {
  readonly #records: ContentRecords;
  readonly #index: number;
  readonly #format: ObjectFormat | null;

  constructor(records: ContentRecords, index: number, format: ObjectFormat | null) {
    this.#records = records;
    this.#index = index;
    this.#format = format;
  }

  get sha256(): Sha256 {
    return this.#records.sha256(this.#index);
  }

  writeSha256(into: Uint8Array, at: number): void {
    this.#records.writeSha256(this.#index, into, at);
  }

  get blob(): Uint8Array | null {
    return this.#format === null ? null : this.#records.blobSlot(this.#index, this.#format);
  }

  get size(): number {
    return this.#records.size(this.#index);
  }

  get executable(): boolean {
    return this.#records.executable(this.#index);
  }
}
