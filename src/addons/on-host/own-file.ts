import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, readAt, reason } from "../../host/files.ts";

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;

/**
 * The bytes of a file of ours that says what to run, or what not to: nobody else may have written it. Throws Failure
 * `unsafe_path` for what somebody else could have, and `file_unreadable`.
 */
export function readOwn(path: string, max: number, what: string): Uint8Array {
  return readPlain(path, max, what, (status) => strangerTo(status, GROUP_WRITES | OTHERS_WRITE));
}

/** The same for a file that people edit: a group of our own (user-private groups) is as good as ourselves. */
export function readEdited(path: string, max: number, what: string): Uint8Array {
  return readPlain(path, max, what, (status) => {
    const isOurGroup = status.gid === 0 || status.gid === process.getegid?.();
    return strangerTo(status, isOurGroup ? OTHERS_WRITE : GROUP_WRITES | OTHERS_WRITE);
  });
}

/** The same for one that proves itself, whoever wrote it: as long as it is now, as others may be adding to it. */
export function readProven(path: string, max: number, what: string): Uint8Array {
  return readPlain(path, max, what, () => null);
}

/** The same demand of a file that is open to be written. Throws Failure `unsafe_path`. */
export function requireOwn(descriptor: number, path: string, what: string): void {
  const found = strangerTo(fstatSync(descriptor), GROUP_WRITES | OTHERS_WRITE);
  if (found !== null) throw unsafe(path, what, found);
}

/** What was read, or null when there is no such file. */
export function ifThere(read: () => Uint8Array): Uint8Array | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure && errorCode(error.cause) === "ENOENT") return null;
    throw error;
  }
}

/** The bytes of the very file whose owner and mode were looked at; `stranger` says who else could have written it. */
function readPlain(
  path: string,
  max: number,
  what: string,
  stranger: (status: Stats) => string | null,
): Uint8Array {
  const descriptor = openOne(path, what);
  try {
    const status = fstatSync(descriptor);
    const found = status.isFile() ? stranger(status) : "is not a regular file";
    if (found !== null) throw unsafe(path, what, found);
    if (status.size > max) {
      throw new Failure(
        "file_unreadable",
        `${what} ${quoted(path)} has ${status.size} bytes; at most ${max} are read`,
      );
    }
    return readAt(descriptor, 0, status.size);
  } finally {
    closeSync(descriptor);
  }
}

function strangerTo({ uid, mode }: Stats, writers: number): string | null {
  const user = process.geteuid?.();
  if (user !== undefined && uid !== user && uid !== 0) return `belongs to user ${uid}`;
  return (mode & writers) === 0 ? null : `has mode ${(mode & 0o7777).toString(8).padStart(4, "0")}`;
}

function openOne(path: string, what: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (errorCode(error) === "ELOOP") throw unsafe(path, what, "is a link");
    throw new Failure("file_unreadable", `${what} ${quoted(path)} cannot be read: ${reason(error)}`, {
      cause: error,
    });
  }
}

function unsafe(path: string, what: string, found: string): Failure {
  return new Failure(
    "unsafe_path",
    `${what} ${quoted(path)} ${found}; wanted a file that only its owner may write`,
    {
      hint: "somebody else may have changed it; look at it, then chown and chmod 600 it, or remove it",
    },
  );
}
