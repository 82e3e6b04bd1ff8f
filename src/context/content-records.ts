import type { Sha256 } from "../base/digest.ts";
import type { BytePath } from "./byte-path.ts";
import type { FileContent, ObjectFormat } from "./contents.ts";
import { ContentFailure } from "./opened-file.ts";
import type { TreeItem } from "./tree-digests.ts";

const BLOB_BYTES: Readonly<Record<ObjectFormat, number>> = { sha1: 20, sha256: 32 };

const BLOB_AT = 0;
const SIZE_AT = 32;
const LINE_END_AT = 40;
const STATE_AT = 44;
/** A multiple of 8, so that the sizes lie where a Float64Array finds them. */
export const RECORD_BYTES = 48;

/**
 * What a line of the tree hash has behind the name, as `workingTreeHash` says: whoever read the file has then written
 * it out already. Until then it has room for it.
 */
export const LINE_END: string = `100644\0${"-".repeat(64)}\n`;
const SHA256_AT = 7;
const SHA256_LETTERS = 64;
const EXECUTABLE = Buffer.from("755");
const PLAIN = Buffer.from("644");

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
  readonly #words: Uint32Array;
  readonly #offset: number;

  /** The records begin at `offset`, a multiple of 8; the ends of lines lie anywhere else in the memory. */
  constructor(memory: SharedArrayBuffer, offset: number, count: number) {
    this.count = count;
    this.#offset = offset;
    this.#bytes = Buffer.from(memory);
    this.#sizes = new Float64Array(memory, offset, (count * RECORD_BYTES) / 8);
    this.#words = new Uint32Array(memory, offset, (count * RECORD_BYTES) / 4);
  }

  /** Memory for records alone, without names. */
  static memory(count: number): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(count * (RECORD_BYTES + LINE_END.length));
    const ends = Buffer.from(memory, count * RECORD_BYTES).fill(LINE_END, "latin1");
    const records = new ContentRecords(memory, 0, count);
    for (let index = 0; index < count; index++) {
      records.placeLineEnd(index, ends.byteOffset + index * LINE_END.length);
    }
    return memory;
  }

  /** Says where the end of a file's line has its room. */
  placeLineEnd(index: number, at: number): void {
    this.#words[(index * RECORD_BYTES + LINE_END_AT) / 4] = at;
  }

  lineEnd(index: number): number {
    return this.#words[(index * RECORD_BYTES + LINE_END_AT) / 4] ?? 0;
  }

  /** The digest of the content, in hex. */
  setSha256(index: number, hex: string): void {
    this.#bytes.write(hex, this.lineEnd(index) + SHA256_AT, SHA256_LETTERS, "latin1");
  }

  sha256(index: number): Sha256 {
    const at = this.lineEnd(index) + SHA256_AT;
    // 64 letters, which the engine gave.
    return this.#bytes.toString("latin1", at, at + SHA256_LETTERS) as Sha256; // oxlint-disable-line typescript/no-unsafe-type-assertion
  }

  /** Writes what a line of the tree hash has behind the name, and gives where that ends. */
  writeLineEnd(index: number, into: Uint8Array, at: number): number {
    const from = this.lineEnd(index);
    this.#bytes.copy(into, at, from, from + LINE_END.length);
    return at + LINE_END.length;
  }

  /** Where the blob id goes. */
  blobSlot(index: number, format: ObjectFormat): Uint8Array {
    const at = this.#offset + index * RECORD_BYTES + BLOB_AT;
    return this.#bytes.subarray(at, at + BLOB_BYTES[format]);
  }

  /** Writes the blob id and gives where it ends. */
  writeBlob(index: number, format: ObjectFormat, into: Uint8Array, at: number): number {
    const from = this.#offset + index * RECORD_BYTES + BLOB_AT;
    return at + this.#bytes.copy(into, at, from, from + BLOB_BYTES[format]);
  }

  size(index: number): number {
    return this.#sizes[(index * RECORD_BYTES + SIZE_AT) / 8] ?? 0;
  }

  /** That of each of the first files. */
  sizes(count: number): Float64Array {
    const sizes = new Float64Array(count);
    for (let index = 0; index < count; index++) sizes[index] = this.size(index);
    return sizes;
  }

  done(index: number, size: number, executable: boolean): void {
    const letters = executable ? EXECUTABLE : PLAIN;
    const at = this.lineEnd(index) + 3;
    if (this.#bytes[at] !== letters[0]) this.#bytes.set(letters, at);
    this.#describe(index, size, DONE);
  }

  /** A large file, left for later. */
  defer(index: number, size: number): void {
    this.#describe(index, size, DEFERRED);
  }

  fail(index: number, failure: ContentFailure): void {
    this.#describe(index, 0, failure.kind === "changed" ? CHANGED : UNREADABLE);
    // The words take the room of the digest; nul ends them.
    const at = this.lineEnd(index) + SHA256_AT;
    this.#bytes.fill(0, at, at + SHA256_LETTERS);
    this.#bytes.write(failure.message, at, SHA256_LETTERS - 1, "utf8");
  }

  /** A file that nobody read would be left out in silence: then this throws. */
  outcome(index: number): "done" | "deferred" | ContentFailure {
    const state = this.#state(index);
    if (state === DONE) return "done";
    if (state === DEFERRED) return "deferred";
    if (state !== CHANGED && state !== UNREADABLE) throw new Error("a file was not read");
    const at = this.lineEnd(index) + SHA256_AT;
    const why = this.#bytes.toString("utf8", at, this.#bytes.indexOf(0, at));
    return new ContentFailure(state === CHANGED ? "changed" : "unreadable", why);
  }

  /** The files that were left for later. */
  deferred(): number[] {
    const found: number[] = [];
    for (let index = 0; index < this.count; index++) {
      if (this.#state(index) === DEFERRED) found.push(index);
    }
    return found;
  }

  /** The files that have no content, for whatever reason. */
  notDone(): number[] {
    const found: number[] = [];
    for (let index = 0; index < this.count; index++) if (this.#state(index) !== DONE) found.push(index);
    return found;
  }

  /** Takes over a record of others. */
  copyFrom(others: ContentRecords, other: number, index: number): void {
    const from = others.#offset + other * RECORD_BYTES;
    const to = this.#offset + index * RECORD_BYTES;
    const [fromEnd, toEnd] = [others.lineEnd(other), this.lineEnd(index)];
    others.#bytes.copy(this.#bytes, to, from, from + RECORD_BYTES);
    others.#bytes.copy(this.#bytes, toEnd, fromEnd, fromEnd + LINE_END.length);
    this.placeLineEnd(index, toEnd);
  }

  /** Of a file that is done. */
  item(path: BytePath, index: number, format: ObjectFormat | null): TreeItem {
    return new RecordedItem(this, path, index, format);
  }

  executable(index: number): boolean {
    return this.#bytes[this.lineEnd(index) + 3] === EXECUTABLE[0];
  }

  #state(index: number): number {
    return this.#bytes[this.#offset + index * RECORD_BYTES + STATE_AT] ?? 0;
  }

  #describe(index: number, size: number, state: number): void {
    const at = index * RECORD_BYTES;
    this.#sizes[(at + SIZE_AT) / 8] = size;
    this.#bytes[this.#offset + at + STATE_AT] = state;
  }
}

/** A file and its content in one object: each more of 80,000 is felt. */
class RecordedItem implements TreeItem, FileContent {
  readonly path: BytePath;
  readonly #records: ContentRecords;
  readonly #index: number;
  readonly #format: ObjectFormat | null;

  constructor(records: ContentRecords, path: BytePath, index: number, format: ObjectFormat | null) {
    this.path = path;
    this.#records = records;
    this.#index = index;
    this.#format = format;
  }

  get kind(): "file" {
    return "file";
  }

  get content(): FileContent {
    return this;
  }

  get sha256(): Sha256 {
    return this.#records.sha256(this.#index);
  }

  writeLineEnd(into: Uint8Array, at: number): number {
    return this.#records.writeLineEnd(this.#index, into, at);
  }

  get blob(): Uint8Array | null {
    return this.#format === null ? null : this.#records.blobSlot(this.#index, this.#format);
  }

  writeBlob(into: Uint8Array, at: number): number {
    if (this.#format === null) throw new RangeError("no blob id was asked for");
    return this.#records.writeBlob(this.#index, this.#format, into, at);
  }

  get size(): number {
    return this.#records.size(this.#index);
  }

  get executable(): boolean {
    return this.#records.executable(this.#index);
  }
}
