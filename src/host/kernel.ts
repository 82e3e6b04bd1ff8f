import { FFIType, ptr, type Pointer } from "bun:ffi";
import { fstatSync } from "node:fs";
import { cLibrary } from "./c-library.ts";

/** What differs between architectures in the kernel's interface: numbers, and where `struct stat` has the mode. */
type Architecture = {
  readonly openat2: number;
  readonly read: number;
  readonly close: number;
  readonly fstat: number;
  readonly getdents64: number;
  readonly readlinkat: number;
  readonly modeAt: number;
  readonly O_DIRECTORY: number;
  readonly O_NOFOLLOW: number;
};

const X64: Architecture = {
  openat2: 437,
  read: 0,
  close: 3,
  fstat: 5,
  getdents64: 217,
  readlinkat: 267,
  modeAt: 24,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
};
const ARM64: Architecture = {
  openat2: 437,
  read: 63,
  close: 57,
  fstat: 80,
  getdents64: 61,
  readlinkat: 78,
  modeAt: 16,
  O_DIRECTORY: 0o40000,
  O_NOFOLLOW: 0o100000,
};
const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x64: X64, arm64: ARM64 };

const AT_FDCWD = -100;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;

const SIZE_AT = 48;
const MTIME_AT = 88;
const CTIME_AT = 104;
/** The words of `struct stat` that stay as they are while nobody writes: size, and both times with nanoseconds. */
const STABLE_WORDS = [12, 13, 22, 23, 24, 26, 27, 28];
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

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
  pointerTo(at: number): Pointer {
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
    return this.#open(folder, path, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  }

  #open(folder: number, path: string, flags: number, resolve: number): number | null {
    if (path.length >= PATH_BYTES) return null;
    this.#path.bytes.write(path, 0, "latin1");
    this.#path.bytes[path.length] = 0;
    // `struct open_how`, each 64 bits: flags, mode, resolve. With O_PATH a link at the end is opened as such.
    this.#how.words[0] = flags | this.#architecture.O_NOFOLLOW | O_CLOEXEC;
    this.#how.words[4] = resolve;
    const { openat2 } = this.#architecture;
    const descriptor = Number(this.#call(openat2, folder, this.#path.pointer, this.#how.pointer, 24));
    return descriptor < 0 ? null : descriptor;
  }

  status(descriptor: number): FileStatus | null {
    if (!this.#stat(descriptor, this.#status)) return null;
    const { words } = this.#status;
    const mode = words[this.#architecture.modeAt / 4] ?? 0;
    return {
      isFile: (mode & S_IFMT) === S_IFREG,
      size: int64(words, SIZE_AT),
      mode,
      mtimeMs: milliseconds(words, MTIME_AT),
      ctimeMs: milliseconds(words, CTIME_AT),
    };
  }

  /** See FolderHandle; all in one, because it is what is done most. */
  readSmall(folder: number, path: string, into: KernelMemory, at: number): number | null {
    const descriptor = this.openBelow(folder, path, "file");
    if (descriptor === null) return null;
    const { read, close } = this.#architecture;
    let length: number | null = null;
    const room = into.bytes.length - at;
    if (this.#stat(descriptor, this.#status) && this.#isSmallFile(room)) {
      // There is more room than the file has bytes: one more would be seen.
      const got = Number(this.#call(read, descriptor, into.pointerTo(at), room, 0));
      const isWhole = got === this.#status.words[SIZE_AT / 4];
      if (isWhole && this.#stat(descriptor, this.#later) && this.#isUnchanged()) length = got;
    }
    this.#call(close, descriptor, 0, 0, 0);
    return length;
  }

  /** Of the last file that was asked about. */
  isExecutable(): boolean {
    return ((this.#status.words[this.#architecture.modeAt / 4] ?? 0) & 0o100) !== 0;
  }

  #stat(descriptor: number, into: KernelMemory): boolean {
    return Number(this.#call(this.#architecture.fstat, descriptor, into.pointer, 0, 0)) === 0;
  }

  #isSmallFile(room: number): boolean {
    const { words } = this.#status;
    return (
      ((words[this.#architecture.modeAt / 4] ?? 0) & S_IFMT) === S_IFREG &&
      words[SIZE_AT / 4 + 1] === 0 &&
      (words[SIZE_AT / 4] ?? room) < room
    );
  }

  #isUnchanged(): boolean {
    const [before, after] = [this.#status.words, this.#later.words];
    for (const at of STABLE_WORDS) if (before[at] !== after[at]) return false;
    return true;
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

/** The status of an open file. Throws the system's error. */
export function statusOf(descriptor: number): FileStatus {
  const status = loadKernel()?.status(descriptor) ?? null;
  if (status !== null) return status;
  const asked = fstatSync(descriptor);
  const { size, mode, mtimeMs, ctimeMs } = asked;
  return { isFile: asked.isFile(), size, mode, mtimeMs, ctimeMs };
}

function int64(words: Uint32Array, at: number): number {
  return (words[at / 4] ?? 0) + ((words[at / 4 + 1] ?? 0) | 0) * 2 ** 32;
}

function milliseconds(words: Uint32Array, at: number): number {
  return int64(words, at) * 1000 + (words[at / 4 + 2] ?? 0) / 1_000_000;
}
