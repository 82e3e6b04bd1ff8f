import { Failure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { isBundleName } from "../names.ts";

export const BLOCK_BYTES = 512;

/** One header block of an archive, read so strictly that no two readers can see two things in it. */
export type TarHeader =
  | { readonly kind: "file"; readonly name: string; readonly size: number }
  /** A PAX record that says nothing about names, sizes or links; `size` bytes follow that have to agree. */
  | { readonly kind: "notes"; readonly size: number }
  | { readonly kind: "zeros" };

/** Bytes of PAX notes that are read; writers need a few hundred. */
const MAX_NOTES = 65_536;

const REFUSED_TYPES: Readonly<Record<string, string>> = {
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a character device",
  "4": "a block device",
  "5": "a folder",
  "6": "a FIFO",
  "7": "a contiguous file",
  D: "a GNU folder listing",
  K: "a GNU long link name",
  L: "a GNU long name",
  M: "a continued file of several volumes",
  N: "an old GNU long name",
  S: "a sparse file",
  V: "a volume label",
  X: "a Solaris extended header",
};

/**
 * Reads a header of 512 bytes, of a file of at most `maxBytes`. Throws Failure `tarball_unsafe` or
 * `tarball_too_large`.
 */
export function readTarHeader(block: Uint8Array, maxBytes: number = LIMITS.bundleFileBytes): TarHeader {
  if (block.every((byte) => byte === 0)) return { kind: "zeros" };
  checkSum(block);
  const gnu = checkMagic(block);
  const name = nameOf(block);
  const type = latin(block.subarray(156, 157));
  if (type === "x" || type === "g") return { kind: "notes", size: notesSize(block) };
  if (type !== "0" && type !== "\u0000") {
    const found = REFUSED_TYPES[type] ?? `of type ${quoted(type)}`;
    throw unsafe(`${quoted(name)} is ${found}; wanted regular files only`);
  }
  // Readers differ in whether they join a prefix, and in what GNU's own fields there mean.
  if (block.subarray(345, gnu ? 508 : 500).some((byte) => byte !== 0)) {
    throw unsafe(`${quoted(name)} has ${gnu ? "GNU fields" : "a prefix"} beside its name; wanted flat names`);
  }
  if (!isBundleName(name)) throw unsafe(`a file is called ${quoted(name, 140)}; wanted a flat, safe name`);
  return { kind: "file", name, size: sizeOf(block, name, maxBytes) };
}

/** Whether the notes of a PAX header leave name, size and kind of the next file alone. Throws `tarball_unsafe`. */
export function checkNotes(bytes: Uint8Array): void {
  let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  while (rest !== "") {
    const [, digits, key = ""] = /^(\d{1,6}) ([^=\n]{1,100})=/u.exec(rest) ?? [];
    const length = Number(digits);
    if (rest[length - 1] !== "\n") throw unsafe("a PAX header is malformed");
    if (!HARMLESS.test(key)) throw unsafe(`a PAX header sets ${quoted(key, 60)}, which readers differ in`);
    rest = rest.slice(length);
  }
}

/** Times, owners, comments and what tars keep of attributes: nothing that we take over. */
const HARMLESS =
  /^(?:mtime|atime|ctime|uid|gid|uname|gname|comment|LIBARCHIVE\.(?:creationtime|xattr\.[^\0]+)|SCHILY\.(?:dev|ino|nlink|fflags|xattr\.[^\0]+))$/u;

/** The sum over the bytes as unsigned numbers, with the sum's own field as spaces. */
function checkSum(block: Uint8Array): void {
  const summed = [...block.subarray(0, 148), ...block.subarray(156)];
  const sum = summed.reduce((total, byte) => total + byte, 8 * 0x20);
  if (octal(block.subarray(148, 156)) !== sum) throw unsafe("a header has a wrong checksum");
}

/** POSIX and GNU, or the old form without a magic. Returns whether the fields at the end are not POSIX's. */
function checkMagic(block: Uint8Array): boolean {
  const magic = latin(block.subarray(257, 265));
  if (magic === "ustar\u000000") return false;
  if (magic === "ustar  \u0000" || magic === "\u0000".repeat(8)) return true;
  throw unsafe(`a header has the magic ${quoted(magic)}, which is no tar format that is taken`);
}

function nameOf(block: Uint8Array): string {
  const field = block.subarray(0, 100);
  const end = field.indexOf(0);
  if (end !== -1 && field.subarray(end).some((byte) => byte !== 0)) {
    throw unsafe("a name goes on after its end");
  }
  return latin(end === -1 ? field : field.subarray(0, end));
}

function sizeOf(block: Uint8Array, name: string, maxBytes: number): number {
  const size = fieldSize(block, name);
  if (size <= maxBytes) return size;
  throw tooLarge(`${quoted(name)} has ${size} bytes; at most ${maxBytes} are taken`);
}

function notesSize(block: Uint8Array): number {
  const size = fieldSize(block, "a PAX header");
  if (size <= MAX_NOTES) return size;
  throw tooLarge(`a PAX header has ${size} bytes; at most ${MAX_NOTES} are read`);
}

function fieldSize(block: Uint8Array, name: string): number {
  const field = block.subarray(124, 136);
  const size = octal(field);
  if (size !== null) return size;
  // Octal holds 8 GiB, far above the ceiling: base-256 has no honest use here, and is read in several ways.
  const binary = /^[\u0080-\u00ff]/u.test(latin(field));
  throw unsafe(`${quoted(name)} has ${binary ? "a base-256 size" : "a size that is no octal number"}`);
}

/** Octal digits, led by spaces or zeros and ended by a NUL, a space or the field's end; null for anything else. */
function octal(field: Uint8Array): number | null {
  const digits = /^ *([0-7]+)[ \u0000]*$/u.exec(latin(field))?.[1];
  return digits === undefined ? null : Number.parseInt(digits, 8);
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

export function unsafe(found: string): Failure {
  return new Failure("tarball_unsafe", `the bundle is refused: ${found}`, {
    hint: "pack flat, regular files with: tar --format=ustar -C DIR -czf BUNDLE FILE…",
  });
}

export function tooLarge(found: string): Failure {
  return new Failure("tarball_too_large", `the bundle is refused: ${found}`);
}
