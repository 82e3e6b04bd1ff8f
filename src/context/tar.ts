import { exactText, isAscii, type BytePath } from "./byte-path.ts";

/**
 * The bytes of our archives (POSIX.1-2001 ustar with pax headers only where ustar cannot say it). Nothing of the
 * machine gets in: no owner, no time but the given one, modes 0644, 0755 and 0777, names as they are on disk.
 */
export type TarMember =
  | { readonly kind: "directory"; readonly path: BytePath }
  | { readonly kind: "symlink"; readonly path: BytePath; readonly target: BytePath }
  | { readonly kind: "file"; readonly path: BytePath; readonly size: number; readonly executable: boolean };

export const BLOCK = 512;
/** Archives are padded to GNU tar's record, 20 blocks, so that the length does not depend on the writer. */
const RECORD = 20 * BLOCK;
const ZEROS = new Uint8Array(BLOCK);
const NAME_BYTES = 100;
const OCTAL_SIZE_MAX = 0o77777777777;

/** Makes what stands before the contents of one archive's members. */
export class TarHeaders {
  /** All that headers have in common, with the sum of its bytes. */
  readonly #template = Buffer.alloc(BLOCK);
  readonly #templateSum: number;
  #blocks = Buffer.alloc(4 * BLOCK);

  /** `mtime` in seconds. */
  constructor(mtime: number) {
    this.#template.write(octal(0, 7), 100, "latin1");
    this.#template.write(octal(0, 7), 108, "latin1");
    this.#template.write(octal(0, 7), 116, "latin1");
    this.#template.write(octal(0, 11), 124, "latin1");
    this.#template.write(octal(mtime, 11), 136, "latin1");
    this.#template.write("      \0 ", 148, "latin1");
    this.#template.write("ustar\u000000", 257, "latin1");
    // The sum is over a header that has eight spaces where the sum will be.
    this.#templateSum = this.#template.reduce((sum, byte) => sum + byte, " ".charCodeAt(0));
  }

  /** How much stands before the content of a file whose size is one that every header can say. */
  roomFor(path: BytePath): number {
    return needsRecord(path) ? this.blocks({ kind: "file", path, size: 0, executable: false }).length : BLOCK;
  }

  /** The same as `blocks` of a file, in its place, for which `room` is what `roomFor` said. */
  write(into: Buffer, at: number, room: number, path: BytePath, size: number, executable: boolean): void {
    if (room > BLOCK) into.set(this.blocks({ kind: "file", path, size, executable }), at);
    else this.#header(into, at, path, executable ? 0o755 : 0o644, size, "0", "");
  }

  /** The header, and a pax header before it when one is needed. The bytes are good until the next call. */
  blocks(member: TarMember): Buffer {
    const name = member.kind === "directory" ? `${member.path}/` : member.path;
    const size = member.kind === "file" ? member.size : 0;
    const target = member.kind === "symlink" ? member.target : "";
    const type = member.kind === "directory" ? "5" : member.kind === "symlink" ? "2" : "0";
    const mode =
      member.kind === "symlink" ? 0o777 : member.kind === "directory" || member.executable ? 0o755 : 0o644;
    let records = "";
    if (needsRecord(name)) records += nameRecords("path", name);
    if (target !== "" && needsRecord(target)) records += nameRecords("linkpath", target);
    if (size > OCTAL_SIZE_MAX) records += paxRecord("size", String(size));
    const length = records === "" ? 0 : this.#paxHeader(records);
    this.#header(this.#blocks, length, name, mode, size, type, target);
    return this.#blocks.subarray(0, length + BLOCK);
  }

  /** Makes room for everything and gives the length of this part. */
  #paxHeader(records: string): number {
    const length = BLOCK + Math.ceil(records.length / BLOCK) * BLOCK;
    if (this.#blocks.length < length + BLOCK) this.#blocks = Buffer.alloc(length + BLOCK);
    this.#header(this.#blocks, 0, "PaxHeaders/0", 0o644, records.length, "x", "");
    this.#blocks.write(records, BLOCK, "latin1");
    this.#blocks.fill(0, BLOCK + records.length, length);
    return length;
  }

  /** Without an object for what it is given: there are as many headers as files. */
  #header(
    into: Buffer,
    begin: number,
    name: string,
    mode: number,
    size: number,
    type: string,
    target: string,
  ): void {
    into.set(this.#template, begin);
    const length = into.write(name, begin, Math.min(name.length, NAME_BYTES), "latin1");
    let sum = this.#templateSum;
    for (let at = begin; at < begin + length; at++) sum += into[at] ?? 0;
    sum += putOctal(into, begin + 106, mode);
    // A size beyond the field stands in the pax record; this one is then not read.
    sum += putOctal(into, begin + 134, size > OCTAL_SIZE_MAX ? 0 : size);
    sum += into[begin + 156] = type.charCodeAt(0);
    if (target !== "") {
      const end = begin + 157 + into.write(target, begin + 157, NAME_BYTES, "latin1");
      for (let at = begin + 157; at < end; at++) sum += into[at] ?? 0;
    }
    for (let at = begin + 153; at >= begin + 148; at--) {
      into[at] = ZERO + (sum & 7);
      sum >>= 3;
    }
  }
}

const ZERO = "0".charCodeAt(0);

/** Writes digits over zeros, the last one at `last`, and gives what that adds to the sum of the bytes. */
function putOctal(into: Buffer, last: number, value: number): number {
  let added = 0;
  let [at, left] = [last, value];
  // What does not fit in 32 bits is divided first: the remainder of a double costs more than all the rest.
  for (; left > 0x7fffffff; left = Math.floor(left / 8)) added += putDigit(into, at--, left % 8);
  for (left |= 0; left > 0; left >>>= 3) added += putDigit(into, at--, left & 7);
  return added;
}

function putDigit(into: Buffer, at: number, digit: number): number {
  into[at] = ZERO + digit;
  return digit;
}

/** Zero bytes that fill the last block of a content of `size` bytes. */
export function contentPadding(size: number): Uint8Array {
  return ZEROS.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two zero blocks, then zeros to the end of the record. `written` is the archive's length so far. */
export function archiveEnd(written: number): Uint8Array {
  const least = written + 2 * BLOCK;
  return new Uint8Array(Math.ceil(least / RECORD) * RECORD - written);
}

function needsRecord(name: string): boolean {
  // A name that is not UTF-8 cannot stand in a pax record as it is; in 100 bytes ustar carries it.
  return name.length > NAME_BYTES || (!isAscii(name) && isUtf8(name));
}

function isUtf8(name: string): boolean {
  return exactText(name as BytePath) !== null; // oxlint-disable-line typescript/no-unsafe-type-assertion -- a byte path and a slash
}

function nameRecords(keyword: "path" | "linkpath", name: string): string {
  const record = paxRecord(keyword, name);
  // pax values are UTF-8 unless the header says that they are the bytes of the file system.
  return isUtf8(name) ? record : paxRecord("hdrcharset", "BINARY") + record;
}

/** `length keyword=value LF`, where the length counts its own digits; one character for each byte. */
function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, "0")}\0`;
}
