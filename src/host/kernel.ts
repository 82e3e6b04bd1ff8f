import { FFIType, ptr, type Pointer } from "bun:ffi";
import { fstatSync } from "node:fs";
import { cLibrary } from "./c-library.ts";
import { keepMethodsFromLastCompiler } from "./compiler.ts";
import { ARCHITECTURES, type Architecture } from "./kernel-architectures.ts";

const AT_FDCWD = -100;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;

/** Of `struct stat`, in words of four bytes. */
const [SIZE, MTIME, CTIME] = [12, 22, 26];
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** Through no link, and not out of the folder. */
const BENEATH = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

const PATH_BYTES = 4096;
const STATUS_BYTES = 256;
const LISTING_BYTES = 65_536;
/** Of a `linux_dirent64`: its length, its kind and its name. */
const [LENGTH_AT, TYPE_AT, NAME_AT] = [16, 18, 19];

export type FileStatus = {
  readonly isFile: boolean;
  /** Bytes. */
  readonly size: number;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
};

/** Where something lies in memory. */
export type Place = Pointer;

/** Bytes that stay where they are, so that the kernel can be told where. */
export class KernelMemory {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly pointer: Pointer;

  /** Of that length, or what is there already. */
  constructor(room: number | Buffer) {
    this.bytes = typeof room === "number" ? Buffer.alloc(room) : room;
    const { length } = this.bytes;
    this.words = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, length / 4);
    this.pointer = ptr(this.bytes);
  }

  /** Where a byte lies. */
  pointerTo(at: number): Place {
    return (this.pointer + at) as Pointer; // oxlint-disable-line typescript/no-unsafe-type-assertion -- a pointer and an offset
  }
}

type SystemCall = (
  number: number,
  a: number,
  b: Pointer | number,
  c: Pointer | number,
  d: number,
) => number | bigint;

/**
 * System calls that the runtime does not have, or has at three times the price, with the memory that their arguments
 * and answers lie in; one for each thread. Names are latin1: one character for each byte. What fails gives null and
 * not why: the error number may be another one by the time that it is asked for.
 */
export class Kernel {
  readonly #call: SystemCall;
  readonly #architecture: Architecture;
  readonly #path = new KernelMemory(PATH_BYTES);
  readonly #how = new KernelMemory(24);
  readonly #status = new KernelMemory(STATUS_BYTES);
  readonly #later = new KernelMemory(STATUS_BYTES);
  readonly #listing = new KernelMemory(LISTING_BYTES);

  constructor(call: SystemCall, architecture: Architecture) {
    this.#call = call;
    this.#architecture = architecture;
  }

  /** Opens a folder by its absolute path, in which there must be no link. */
  openFolder(path: string): number | null {
    return this.#open(AT_FDCWD, path, this.#architecture.O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  }

  /** Opens something below an open folder, through no link and not out of it. */
  openBelow(folder: number, path: string, kind: "file" | "folder" | "link"): number | null {
    const { O_DIRECTORY } = this.#architecture;
    const flags = kind === "file" ? O_NONBLOCK : kind === "folder" ? O_DIRECTORY : O_PATH;
    return this.#open(folder, path, flags, BENEATH);
  }

  #open(folder: number, path: string, flags: number, resolve: number): number | null {
    const name = this.#named(path);
    return name === null ? null : this.#openNamed(folder, name, flags, resolve);
  }

  /** Where the path lies, with a nul behind it, until the next one is asked for. */
  #named(path: string): Pointer | null {
    if (path.length >= PATH_BYTES) return null;
    const { bytes, pointer } = this.#path;
    bytes.write(path, 0, "latin1");
    bytes[path.length] = 0;
    return pointer;
  }

  #openNamed(folder: number, name: Pointer, flags: number, resolve: number): number | null {
    const how = this.#how;
    const { openat2, O_NOFOLLOW } = this.#architecture;
    // `struct open_how`, each 64 bits: flags, mode, resolve. With O_PATH a link at the end is opened as such.
    how.words[0] = flags | O_NOFOLLOW | O_CLOEXEC;
    how.words[4] = resolve;
    const descriptor = Number(this.#call(openat2, folder, name, how.pointer, 24));
    return descriptor < 0 ? null : descriptor;
  }

  status(descriptor: number): FileStatus | null {
    if (!this.#stat(descriptor, this.#status)) return null;
    const { words } = this.#status;
    const mode = words[this.#architecture.modeAt / 4] ?? 0;
    return {
      isFile: (mode & S_IFMT) === S_IFREG,
      size: int64(words, SIZE),
      mode,
      mtimeMs: milliseconds(words, MTIME),
      ctimeMs: milliseconds(words, CTIME),
    };
  }

  /** See FolderHandle; all in one, because it is what is done most. */
  readSmall(folder: number, path: string | Place, into: KernelMemory, at: number): number | null {
    const name = typeof path === "string" ? this.#named(path) : path;
    const descriptor = name === null ? null : this.#openNamed(folder, name, O_NONBLOCK, BENEATH);
    if (descriptor === null) return null;
    const call = this.#call;
    const { fstat, read, close, modeAt } = this.#architecture;
    const status = this.#status;
    const later = this.#later;
    const before = status.words;
    const after = later.words;
    const room = into.bytes.length - at;
    let length: number | null = null;
    if (call(fstat, descriptor, status.pointer, 0, 0) === 0 && isSmallFile(before, modeAt / 4, room)) {
      // There is more room than the file has bytes: one more would be seen.
      const got = call(read, descriptor, into.pointerTo(at), room, 0);
      const isWhole = got === before[SIZE];
      if (isWhole && call(fstat, descriptor, later.pointer, 0, 0) === 0 && isSameState(before, after))
        length = got;
    }
    call(close, descriptor, 0, 0, 0);
    return length;
  }

  /** Of the last file that was asked about. */
  isExecutable(): boolean {
    return ((this.#status.words[this.#architecture.modeAt / 4] ?? 0) & 0o100) !== 0;
  }

  #stat(descriptor: number, into: KernelMemory): boolean {
    return Number(this.#call(this.#architecture.fstat, descriptor, into.pointer, 0, 0)) === 0;
  }

  list(descriptor: number, each: (name: string, kind: number) => void): boolean {
    const { bytes, pointer } = this.#listing;
    for (;;) {
      const { getdents64 } = this.#architecture;
      const length = Number(this.#call(getdents64, descriptor, pointer, LISTING_BYTES, 0));
      if (length <= 0) return length === 0;
      for (
        let at = 0;
        at < length;
        at += (bytes[at + LENGTH_AT] ?? 0) | ((bytes[at + LENGTH_AT + 1] ?? 0) << 8)
      ) {
        let end = at + NAME_AT;
        while (bytes[end] !== 0) end++;
        const name = bytes.toString("latin1", at + NAME_AT, end);
        if (name !== "." && name !== "..") each(name, bytes[at + TYPE_AT] ?? 0);
      }
    }
  }

  readLink(descriptor: number): Buffer | null {
    const { bytes, pointer } = this.#listing;
    this.#path.bytes[0] = 0;
    const { readlinkat } = this.#architecture;
    const length = Number(this.#call(readlinkat, descriptor, this.#path.pointer, pointer, LISTING_BYTES));
    return length < 0 ? null : Buffer.from(bytes.subarray(0, length));
  }
}

keepMethodsFromLastCompiler(Kernel, "readSmall", "list");

let loaded: Kernel | null | undefined;

/** Null where there is no such kernel, or a sandbox forbids to call it like this. */
export function loadKernel(): Kernel | null {
  if (loaded !== undefined) return loaded;
  loaded = null;
  const architecture = ARCHITECTURES[process.arch];
  if (process.platform !== "linux" || architecture === undefined) return null;
  try {
    const { i64_fast: integer, ptr: pointer } = FFIType;
    const args = [integer, integer, pointer, pointer, integer];
    const { syscall } = cLibrary({ syscall: { args, returns: integer } }, "the kernel cannot be called");
    return (loaded = new Kernel(syscall, architecture));
  } catch {
    return null;
  }
}

function isSmallFile(words: Uint32Array, mode: number, room: number): boolean {
  return ((words[mode] ?? 0) & S_IFMT) === S_IFREG && words[SIZE + 1] === 0 && (words[SIZE] ?? room) < room;
}

/** Size, and both times with nanoseconds: as long as nobody writes they stay. Without a loop, which takes longer. */
function isSameState(a: Uint32Array, b: Uint32Array): boolean {
  return (
    a[SIZE] === b[SIZE] &&
    a[SIZE + 1] === b[SIZE + 1] &&
    a[MTIME] === b[MTIME] &&
    a[MTIME + 1] === b[MTIME + 1] &&
    a[MTIME + 2] === b[MTIME + 2] &&
    a[CTIME] === b[CTIME] &&
    a[CTIME + 1] === b[CTIME + 1] &&
    a[CTIME + 2] === b[CTIME + 2]
  );
}

/** The status of an open file. Throws the system's error. */
export function statusOf(descriptor: number): FileStatus {
  const status = loadKernel()?.status(descriptor) ?? null;
  if (status !== null) return status;
  const asked = fstatSync(descriptor);
  const { size, mode, mtimeMs, ctimeMs } = asked;
  return { isFile: asked.isFile(), size, mode, mtimeMs, ctimeMs };
}

function int64(words: Uint32Array, at: number): number {
  return (words[at] ?? 0) + ((words[at + 1] ?? 0) | 0) * 2 ** 32;
}

function milliseconds(words: Uint32Array, at: number): number {
  return int64(words, at) * 1000 + (words[at + 2] ?? 0) / 1_000_000;
}
