import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { bytePathOf, shownText, type BytePath } from "./byte-path.ts";

/** What a member of a foreign tar is, after its header and the extended headers before it. */
export type TarEntry = {
  readonly kind: "file" | "directory" | "symlink" | "hard_link";
  readonly path: BytePath;
  readonly size: number;
  readonly executable: boolean;
  /** Where a symbolic link leads, as it stands; the earlier member that a hard link is another name of. */
  readonly target: BytePath;
};

/** A header whose content belongs to the next one: pax records, or a long name of GNU tar. */
export type TarExtension = {
  readonly kind: "pax" | "pax_global" | "long_name" | "long_link";
  readonly size: number;
};

export const BLOCK = 512;

/** What extended headers said about the member after them; `pax` when a pax header of its own was among them. */
export type Overrides = { path?: Uint8Array; linkpath?: Uint8Array; size?: number; pax?: true };

export function archiveFailure(found: string): Failure {
  return new Failure("archive_malformed", `the archive ${found}`, {
    hint: "it was cut short or damaged, or it is another kind of archive than waybill reads",
  });
}

/**
 * One header block. Only what a build context can hold is read: files, directories, links. Throws Failure
 * `archive_malformed`.
 */
export function decodeHeader(block: Uint8Array, overrides: Overrides): TarEntry | TarExtension {
  checkSum(block);
  checkMagic(block);
  const type = String.fromCharCode(block[156] ?? 0);
  const ownSize = numberAt(block, 124, 12);
  const extension = EXTENSIONS[type];
  if (extension !== undefined) {
    if (ownSize > LIMITS.archiveHeaderBytes)
      throw archiveFailure(`has an extended header of ${ownSize} bytes`);
    return { kind: extension, size: ownSize };
  }
  const size = overrides.size ?? ownSize;
  const name = overrides.path ?? headerName(block);
  const path = cleanPath(name);
  // Before there was a type for directories, the slash alone said so.
  const kind = KINDS[type] === "file" && name.at(-1) === SLASH ? "directory" : KINDS[type];
  if (kind === undefined)
    throw archiveFailure(
      `has ${quoted(shownText(path))}, a member of type ${quoted(type)}, which no context has`,
    );
  // Some readers pass over such bytes, others take them for the next headers. Old folders (type 5) may say a size.
  if (size > 0 && kind !== "file" && type !== "5")
    throw archiveFailure(`has ${quoted(shownText(path))}, a ${NAMES[kind]} with ${size} bytes`);
  if (kind === "file" && hasSparseMap(block)) throw sparseFile();
  // No system makes such a file. A slash behind the name of a link is passed over.
  if (kind !== "directory" && /^\/*$|(?:^|\/)\.\/*$/u.test(bytePathOf(name)))
    throw archiveFailure(
      `has ${quoted(shownText(bytePathOf(name)))}, a ${NAMES[kind]} by the name of a folder`,
    );
  const target = overrides.linkpath ?? field(block, 157, 100);
  if (kind === "symlink" || kind === "hard_link") checkTarget(kind, path, target);
  return {
    kind,
    path,
    size: kind === "file" ? size : 0,
    executable: (numberAt(block, 100, 8) & 0o100) !== 0,
    target: kind === "hard_link" ? cleanPath(target) : bytePathOf(target),
  };
}

const SLASH = 0x2f;

/** What begins the magic of POSIX, with any version behind it, and all of GNU tar's. */
const POSIX = "ustar\0";
const GNU = "ustar  \0";

const EXTENSIONS: Readonly<Record<string, TarExtension["kind"]>> = {
  x: "pax",
  g: "pax_global",
  L: "long_name",
  K: "long_link",
};
const KINDS: Readonly<Record<string, TarEntry["kind"]>> = {
  "0": "file",
  "\0": "file",
  "1": "hard_link",
  "2": "symlink",
  "5": "directory",
};

const NAMES: Readonly<Record<TarEntry["kind"], string>> = {
  file: "file",
  directory: "folder",
  symlink: "link",
  hard_link: "hard link",
};

/** What no system would link to: nothing, what stands behind a NUL, and by a hard link what must be a folder. */
function checkTarget(kind: "symlink" | "hard_link", path: BytePath, target: Uint8Array): void {
  const link = `${quoted(shownText(path))}, a ${NAMES[kind]}`;
  if (target.length === 0) throw archiveFailure(`has ${link} without a target`);
  if (target.includes(0)) throw archiveFailure(`has ${link} with a NUL in its target`);
  if (kind === "hard_link" && /\/\.?$/u.test(bytePathOf(target)))
    throw archiveFailure(`has ${link} to ${quoted(shownText(bytePathOf(target)))}, a folder by its name`);
}

/** Two sums are in use, of unsigned bytes and, long ago, of signed ones; only the first is taken. */
function checkSum(block: Uint8Array): void {
  let sum = 8 * 0x20;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  if (numberAt(block, 148, 8) !== sum) throw archiveFailure("has a header with a wrong checksum");
}

/** POSIX and GNU. What is there without their word is v7's and nobody's; what only begins like it, libarchive joins. */
function checkMagic(block: Uint8Array): void {
  const magic = magicOf(block);
  if (magic.startsWith("ustar") && !magic.startsWith(POSIX) && magic !== GNU)
    throw archiveFailure(`has a header of an unknown format, ${quoted(magic)}`);
}

/** GNU tar looks at its map of holes in sparse files (type S) alone, libarchive in any file. */
function hasSparseMap(block: Uint8Array): boolean {
  return magicOf(block) === GNU && block.subarray(386, 495).some((byte) => byte !== 0);
}

function magicOf(block: Uint8Array): string {
  return Buffer.from(block.subarray(257, 265)).toString("latin1");
}

function headerName(block: Uint8Array): Uint8Array {
  const name = field(block, 0, 100);
  // GNU tar has other fields in place of the prefix.
  const prefix = magicOf(block).startsWith(POSIX) ? field(block, 345, 155) : new Uint8Array();
  return prefix.length === 0 ? name : new Uint8Array(Buffer.concat([prefix, Buffer.from("/"), name]));
}

function field(block: Uint8Array, at: number, length: number): Uint8Array {
  const bytes = block.subarray(at, at + length);
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

/** Octal text, or base 256 when the top bit is set (GNU, for sizes beyond 8 GiB). */
function numberAt(block: Uint8Array, at: number, length: number): number {
  const bytes = block.subarray(at, at + length);
  if (bytes[0] === 0x80) {
    const value = bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    if (Number.isSafeInteger(value)) return value;
    throw archiveFailure("has a number out of range");
  }
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/[\0 ]+$/u, "")
    .trimStart();
  // GNU tar passes over a header with a number of blanks, others read it as zero.
  if (text === "" && !bytes.includes(0x20)) return 0;
  if (!/^[0-7]{1,12}$/u.test(text)) throw archiveFailure("has a header with a broken number");
  return Number.parseInt(text, 8);
}

/** A path below the context in its one spelling; "" is the context itself. Paths that lead out of it are refused. */
function cleanPath(bytes: Uint8Array): BytePath {
  const path = bytePathOf(bytes);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  // Some readers end the name there, others do not.
  if (path.includes("\0"))
    throw archiveFailure(`has a member ${quoted(shownText(path))} with a NUL in its name`);
  if (path.startsWith("/") || parts.includes(".."))
    throw archiveFailure(`has a member ${quoted(shownText(path))}, which leads out of the context`);
  return bytePathOf(Buffer.from(parts.join("/"), "latin1"));
}

function sparseFile(): Failure {
  return archiveFailure("has a sparse file; pack it again without --sparse");
}

/** What several extended headers say about one member. Which of two names counts is another one to each reader. */
export function joinedOverrides(before: Overrides, more: Overrides): Overrides {
  // GNU tar takes the last one alone, others take both together.
  if (before.pax === true && more.pax === true) throw archiveFailure("has two pax headers before one member");
  const twice = Object.keys(more).find((name) => name in before);
  if (twice !== undefined) throw archiveFailure(`says the ${twice} of a member in two headers before it`);
  return { ...before, ...more };
}

/** `length keyword=value LF` records, of which only those that name or size the next member matter. */
export function paxOverrides(content: Uint8Array, global: boolean): Overrides {
  const bytes = Buffer.from(content);
  const overrides: Overrides = {};
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : wholeNumber(bytes.subarray(at, space));
    const record = bytes.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    const keyword = record.toString("latin1", 0, Math.max(0, equals));
    const isWhole = length > 0 && at + length <= bytes.length && bytes[at + length - 1] === 0x0a;
    // GNU tar passes over blanks before a keyword, and sees its end in a NUL.
    if (!isWhole || keyword === "" || /^[ \t]|\0/u.test(keyword))
      throw archiveFailure("has a broken pax header");
    take(overrides, keyword, record.subarray(equals + 1), global);
    at += length;
  }
  return overrides;
}

function take(overrides: Overrides, keyword: string, value: Uint8Array, global: boolean): void {
  // The member then has another name, and of its content only the parts between the holes.
  if (keyword.startsWith("GNU.sparse.") || keyword === "SCHILY.realsize") throw sparseFile();
  if (keyword !== "path" && keyword !== "linkpath" && keyword !== "size") return;
  // git archive puts its commit there; a name for all members would make them one.
  if (global) throw archiveFailure(`has a global ${keyword} for all its members`);
  if (keyword !== "size") overrides[keyword] = Uint8Array.from(value);
  else {
    const size = wholeNumber(value);
    if (!Number.isSafeInteger(size)) throw archiveFailure("has a broken size in a pax header");
    overrides.size = size;
  }
}

/** Decimal digits and nothing else, or NaN: JavaScript's own reading takes blanks, signs, exponents and hex, too. */
function wholeNumber(text: Uint8Array): number {
  const digits = Buffer.from(text).toString("latin1");
  return /^[0-9]+$/u.test(digits) ? Number(digits) : Number.NaN;
}
