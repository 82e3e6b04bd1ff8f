import { ContentRecords } from "./content-records.ts";

/** How many there are; then for each where it begins, its length, its file's number and its flags. */
const COUNT = 0;
const HEADER_INTS = 4;
const SEGMENT_INTS = 4;
const FIRST = 1;
const LAST = 2;

/** A stretch of one file's content inside a piece. */
export type Segment = {
  readonly at: number;
  readonly length: number;
  readonly first: boolean;
  readonly last: boolean;
};

/** What is known of a file before its content is hashed. */
export type FileOfSegment = {
  /** NO_FILE when nobody will ask for its digests. */
  readonly number: number;
  readonly size: number;
  readonly executable: boolean;
};

export const NO_FILE = -1;

export type SegmentsMemory = { readonly numbers: SharedArrayBuffer; readonly records: SharedArrayBuffer };

/**
 * What of a piece is which file's content: the thread that fills the piece says it, and the one that hashes it leaves
 * a record for each segment, that of a file's last one with the digests.
 */
export class PieceSegments {
  readonly records: ContentRecords;
  readonly #numbers: Int32Array;

  constructor({ numbers, records }: SegmentsMemory) {
    this.#numbers = new Int32Array(numbers);
    const most = (this.#numbers.length - HEADER_INTS) / SEGMENT_INTS;
    this.records = new ContentRecords(records, 0, most);
  }

  /** For a piece of that length. */
  static memory(pieceBytes: number): SegmentsMemory {
    // A file takes a header of 512 bytes at least; one more began in the piece before.
    const most = pieceBytes / 512 + 1;
    return {
      numbers: new SharedArrayBuffer(4 * (HEADER_INTS + most * SEGMENT_INTS)),
      records: ContentRecords.memory(most),
    };
  }

  get count(): number {
    return this.#numbers[COUNT] ?? 0;
  }

  /** Throws RangeError where a file system gives so few bytes at a time that there is no room for what came. */
  add({ at, length, first, last }: Segment, { number, size, executable }: FileOfSegment): void {
    this.#take(size, executable);
    this.#describe(at, length, number, (first ? FIRST : 0) | (last ? LAST : 0));
  }

  /** The same for a file that lies in the piece as a whole, as nearly all do. */
  addWhole(at: number, number: number, size: number, executable: boolean): void {
    this.#take(size, executable);
    this.#describe(at, size, number, FIRST | LAST);
  }

  #take(size: number, executable: boolean): void {
    if (this.count === this.records.count) throw new RangeError("a file was read in too many parts");
    this.records.done(this.count, size, executable);
  }

  #describe(at: number, length: number, number: number, flags: number): void {
    const begin = HEADER_INTS + this.count * SEGMENT_INTS;
    this.#numbers[begin] = at;
    this.#numbers[begin + 1] = length;
    this.#numbers[begin + 2] = number;
    this.#numbers[begin + 3] = flags;
    this.#numbers[COUNT] = this.count + 1;
  }

  get(index: number): Segment {
    const begin = HEADER_INTS + index * SEGMENT_INTS;
    const flags = this.#numbers[begin + 3] ?? 0;
    return {
      at: this.#numbers[begin] ?? 0,
      length: this.#numbers[begin + 1] ?? 0,
      first: (flags & FIRST) !== 0,
      last: (flags & LAST) !== 0,
    };
  }

  /** The number of the file whose content ends with a segment; NO_FILE when it goes on, and when it has none. */
  fileEndingIn(index: number): number {
    const begin = HEADER_INTS + index * SEGMENT_INTS;
    return ((this.#numbers[begin + 3] ?? 0) & LAST) === 0 ? NO_FILE : (this.#numbers[begin + 2] ?? NO_FILE);
  }

  clear(): void {
    this.#numbers[COUNT] = 0;
  }
}
