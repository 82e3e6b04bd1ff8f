import { KernelMemory, type Place } from "../host/kernel.ts";
import type { BytePath } from "./byte-path.ts";
import { ContentRecords, LINE_END, RECORD_BYTES } from "./content-records.ts";

const HEADER_INTS = 4;
const CLAIM = 0;
const COUNT = 1;
const LARGE = 2;
const RECORDS_AT = HEADER_INTS * 4;

const SLASH = "/".charCodeAt(0);

/** Behind each name, until it is known. */
const UNREAD = `\0${LINE_END}`;

/**
 * Some files to read and the room for what is found out about them, in one piece of memory that every thread sees:
 * a header, the records, and the lines of the tree hash, of which at first only the names are there. Whoever claims
 * the batch first reads all of it.
 */
export class ContentBatch {
  readonly memory: SharedArrayBuffer;
  readonly records: ContentRecords;
  /** Whether large files are read now, too. */
  readonly large: boolean;
  readonly #header: Int32Array;
  readonly #place: KernelMemory;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#place = new KernelMemory(Buffer.from(memory));
    this.#header = new Int32Array(memory, 0, HEADER_INTS);
    this.large = this.#header[LARGE] === 1;
    this.records = new ContentRecords(memory, RECORDS_AT, this.#header[COUNT] ?? 0);
  }

  /** Names are relative to the context, or absolute. */
  static of(names: readonly BytePath[], large: boolean): ContentBatch {
    const lines = `${names.join(UNREAD)}${UNREAD}`;
    const linesAt = RECORDS_AT + names.length * RECORD_BYTES;
    const memory = new SharedArrayBuffer(linesAt + lines.length);
    Buffer.from(memory).write(lines, linesAt, "latin1");
    new Int32Array(memory, 0, HEADER_INTS).set([0, names.length, large ? 1 : 0]);
    const batch = new ContentBatch(memory);
    let at = linesAt;
    for (let index = 0; index < names.length; index++) {
      at += (names[index]?.length ?? 0) + UNREAD.length;
      batch.records.placeLineEnd(index, at - LINE_END.length);
    }
    return batch;
  }

  /** True for one caller only, whichever thread it is on. */
  claim(): boolean {
    return Atomics.compareExchange(this.#header, CLAIM, 0, 1) === 0;
  }

  isClaimed(): boolean {
    return Atomics.load(this.#header, CLAIM) !== 0;
  }

  name(index: number): BytePath {
    const end = this.records.lineEnd(index) - 1;
    return this.#place.bytes.toString("latin1", this.#lineAt(index), end) as BytePath; // oxlint-disable-line typescript/no-unsafe-type-assertion -- a byte path
  }

  /** Where the name lies, with a nul behind it; null for an absolute one. */
  placeOfName(index: number): Place | null {
    const at = this.#lineAt(index);
    return this.#place.bytes[at] === SLASH ? null : this.#place.pointerTo(at);
  }

  /** The lines of some files, once all of those are done; each ends with a line feed. */
  lines(from: number, to: number): Uint8Array {
    const at = this.#lineAt(from);
    return new Uint8Array(this.memory, at, this.#lineAt(to) - at);
  }

  #lineAt(index: number): number {
    return index === 0
      ? RECORDS_AT + this.records.count * RECORD_BYTES
      : this.records.lineEnd(index - 1) + LINE_END.length;
  }
}
