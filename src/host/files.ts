import type { Stats } from "node:fs";
import { fs, paths } from "./file-system.ts";
import { Failure } from "../base/failure.ts";
import type { FailureCode } from "../base/exit-codes.ts";
import { quoted } from "../base/printable.ts";
import { newPendingName } from "./pending-name.ts";

/** The `code` of a system error (`ENOENT`), or "". */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/**
 * All bytes of a regular file of at most `max` bytes. Never blocks on a FIFO that somebody put there. Throws
 * Failure with `code`, which names the file as `what`.
 */
export function readBounded(
  path: string,
  max: number,
  what: string,
  code: FailureCode = "file_unreadable",
): Uint8Array {
  let descriptor: number;
  try {
    descriptor = fs().openSync(path, fs().constants.O_RDONLY | fs().constants.O_NONBLOCK);
  } catch (error) {
    throw new Failure(code, `${what} ${quoted(path)} cannot be read: ${reason(error)}`, { cause: error });
  }
  try {
    const status = fs().fstatSync(descriptor);
    if (!status.isFile()) throw new Failure(code, `${what} ${quoted(path)} is not a regular file`);
    if (status.size > max) throw tooLarge(what, path, status.size, max, code);
    // One byte more than the ceiling, so that a file which grows meanwhile is seen and not cut.
    const buffer = new Uint8Array(Math.min(max, Math.max(status.size, 4096)) + 1);
    let length = 0;
    while (length < buffer.length) {
      const read = fs().readSync(descriptor, buffer, length, buffer.length - length, null);
      if (read === 0) return buffer.slice(0, length);
      length += read;
    }
    if (length > max) throw tooLarge(what, path, length, max, code);
    throw new Failure(code, `${what} ${quoted(path)} grew while it was read`, { hint: "run again" });
  } finally {
    fs().closeSync(descriptor);
  }
}

/** What a path leads to; undefined when nothing does, and when nobody can look: whoever opens it then says why. */
export function statusAt(path: string): Stats | undefined {
  try {
    return fs().statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Whether a path leads to something. Throws Failure `file_unreadable` when nobody can look: what may be there must
 * not be taken for nothing.
 */
export function isThere(path: string, what: string): boolean {
  try {
    return fs().statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw new Failure("file_unreadable", `${what} ${quoted(path)} cannot be read: ${reason(error)}`, {
      cause: error,
    });
  }
}

function tooLarge(what: string, path: string, size: number, max: number, code: FailureCode): Failure {
  return new Failure(code, `${what} ${quoted(path)} has ${size} bytes or more; at most ${max} are read`);
}

/** `length` bytes of an open file from `position` on; fewer at its end. */
export function readAt(descriptor: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, readInto(descriptor, position, bytes));
}

/** The same into `bytes`; how many there were. */
export function readInto(descriptor: number, position: number, bytes: Uint8Array): number {
  let filled = 0;
  while (filled < bytes.length) {
    const count = fs().readSync(descriptor, bytes, filled, bytes.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOTDIR: "a part of its path is not a directory",
  EISDIR: "it is a directory",
  EEXIST: "something else has its name",
  ENAMETOOLONG: "its name is too long",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EDQUOT: "the quota is used up",
  EFBIG: "it would be larger than this process may make a file",
  EMFILE: "this process may open no more files (ulimit -n)",
  ELOOP: "too many symbolic links",
};

/** What the system said, without the path: that one is in our own words already. */
export function reason(error: unknown): string {
  if (error instanceof Failure) return error.message;
  const code = errorCode(error);
  return REASONS[code] ?? (code === "" ? String(error) : code);
}

/** The same of a file that was to be made: what does not exist is then its folder. */
export function whyUnwritten(error: unknown): string {
  // PendingFile knows one refusal, whose message names the path once more.
  if (error instanceof Failure) return "it exists and is not a regular file";
  return errorCode(error) === "ENOENT" ? "its folder does not exist" : reason(error);
}

export function fsyncDirectory(path: string): void {
  const descriptor = fs().openSync(path, fs().constants.O_RDONLY | fs().constants.O_DIRECTORY);
  try {
    fs().fsyncSync(descriptor);
  } finally {
    fs().closeSync(descriptor);
  }
}

export function writeAll(descriptor: number, bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) offset += fs().writeSync(descriptor, bytes, offset, bytes.length - offset);
}

/** What a file system without hard links says to one. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK"]);

/** A new file beside `path` that takes its place by rename, or is removed: a failed run leaves nothing behind. */
export class PendingFile {
  readonly descriptor: number;
  readonly #path: string;
  readonly #temporary: string;
  readonly #mode: number;
  #open = true;
  #committed = false;

  /**
   * `mode` is set exactly, whatever the umask is. Throws the system's error when the folder cannot be written, and
   * Failure `file_exists` when something else than a file stands there: root would rename over /dev/null, and a
   * link in a folder of many leads elsewhere.
   */
  constructor(path: string, mode: number) {
    if (fs().lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new Failure("file_exists", `${quoted(path)} exists and is not a regular file`, {
        hint: "name a file, or a name that is free",
      });
    }
    this.#path = path;
    const { dirname, join } = paths();
    this.#temporary = join(dirname(path), newPendingName(path));
    const flags =
      fs().constants.O_WRONLY | fs().constants.O_CREAT | fs().constants.O_EXCL | fs().constants.O_NOFOLLOW;
    // 0600 while it is being written: a half-written secret must not be readable either.
    this.descriptor = fs().openSync(this.#temporary, flags, 0o600);
    this.#mode = mode;
  }

  /** Where it is until `commit`, under a name that nobody else has. */
  get temporary(): string {
    return this.#temporary;
  }

  write(bytes: Uint8Array): void {
    writeAll(this.descriptor, bytes);
  }

  /** Data to the disk, then the name, then the folder: after a power cut there is the old file or the new one. */
  commit(): void {
    this.#finish();
    fs().renameSync(this.#temporary, this.#path);
    this.#committed = true;
    fsyncDirectory(paths().dirname(this.#path));
  }

  /** The same where nothing may stand: throws EEXIST when something does, or came meanwhile. */
  commitNew(): void {
    this.#finish();
    try {
      // The one way to a name that is atomic and never replaces.
      fs().linkSync(this.#temporary, this.#path);
      this.#committed = true;
    } catch (error) {
      if (!WITHOUT_LINKS.has(errorCode(error))) throw error;
      this.#takeFreeName();
    }
    fs().rmSync(this.#temporary, { force: true });
    fsyncDirectory(paths().dirname(this.#path));
  }

  /** The name is held by an empty file until it is taken; a failed run leaves that one no more than its own. */
  #takeFreeName(): void {
    fs().closeSync(fs().openSync(this.#path, "wx", 0o600));
    try {
      fs().renameSync(this.#temporary, this.#path);
    } catch (error) {
      fs().rmSync(this.#path, { force: true });
      throw error;
    }
    this.#committed = true;
  }

  /** Whether something has the name by now, also when what came after failed. */
  get isCommitted(): boolean {
    return this.#committed;
  }

  #finish(): void {
    fs().fchmodSync(this.descriptor, this.#mode);
    fs().fsyncSync(this.descriptor);
    this.#close();
  }

  /** Safe to call after `commit`. */
  discard(): void {
    if (this.#open) this.#close();
    if (!this.#committed) fs().rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    this.#open = false;
    fs().closeSync(this.descriptor);
  }
}

/** Writes a whole file atomically and durably. Throws the system's error; the old file then stands untouched. */
export function writeAtomic(path: string, bytes: Uint8Array | string, mode: number): void {
  const pending = new PendingFile(path, mode);
  try {
    pending.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    pending.commit();
  } finally {
    pending.discard();
  }
}
