import { isAscii, type BytePath } from "./byte-path.ts";
import { ContentRecords, RECORD_BYTES } from "./content-records.ts";

const HEADER_INTS = 6;
const CLAIM = 0;
const COUNT = 1;
const NAMES_LENGTH = 2;
const LARGE = 3;
const ASCII = 4;
const RECORDS_AT = HEADER_INTS * 4;

/**
 * Some files to read and the room for what is found out about them, in one piece of memory that every thread sees:
 * a header, the records, the names in bytes with NULs between. Whoever claims the batch first reads all of it.
 */
export class ContentBatch {
  readonly memory: SharedArrayBuffer;
  readonly records: ContentRecords;
  /** Whether large files are read now, too. */
  readonly large: boolean;
  readonly #header: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#header = new Int32Array(memory, 0, HEADER_INTS);
    this.large = this.#header[LARGE] === 1;
    this.records = new ContentRecords(memory, RECORDS_AT, this.#header[COUNT] ?? 0);
  }

  /** Names are relative to the context, or absolute. */
  static of(names: readonly BytePath[], large: boolean): ContentBatch {
    const joined = names.join("\0");
    const namesAt = RECORDS_AT + names.length * RECORD_BYTES;
    const memory = new SharedArrayBuffer(namesAt + joined.length);
    Buffer.from(memory).write(joined, namesAt, "latin1");
    const header = [0, names.length, joined.length, large ? 1 : 0, isAscii(joined) ? 1 : 0];
    new Int32Array(memory, 0, HEADER_INTS).set(header);
    return new ContentBatch(memory);
  }

  /** True for one caller only, whichever thread it is on. */
  claim(): boolean {
    return Atomics.compareExchange(this.#header, CLAIM, 0, 1) === 0;
  }

  isClaimed(): boolean {
    return Atomics.load(this.#header, CLAIM) !== 0;
  }

  /** Where the files lie, as file system calls take it: a string when that is exact, else the bytes. */
  places(root: BytePath): (string | Buffer)[] {
    const places = this.#names().map((name) => (name.startsWith("/") ? name : `${root}/${name}`));
    // Asked once of all names together: one by one it would take longer than some of them take to open.
    const exact = this.#header[ASCII] === 1 && isAscii(root);
    return exact ? places : places.map((place) => (isAscii(place) ? place : Buffer.from(place, "latin1")));
  }

  name(index: number): BytePath {
    return (this.#names()[index] ?? "") as BytePath; // oxlint-disable-line typescript/no-unsafe-type-assertion -- as they were given to `of`
  }

  #names(): string[] {
    const at = RECORDS_AT + this.records.count * RECORD_BYTES;
    const length = this.#header[NAMES_LENGTH] ?? 0;
    return Buffer.from(this.memory)
      .toString("latin1", at, at + length)
      .split("\0");
  }
}
