import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, readAt, reason } from "../../host/files.ts";

const OTHERS_WRITE = 0o022;

/**
 * The bytes of a file of ours that says what to run, or what not to: nobody else may have written it. Throws Failure
 * `unsafe_path` for what somebody else could have, and `file_unreadable`.
 */
export function readOwn(path: string, max: number, what: string): Uint8Array {
  const descriptor = openOne(path, what);
  try {
    const status = fstatSync(descriptor);
    const user = process.geteuid?.();
    if (!status.isFile()) throw unsafe(path, what, "is not a regular file");
    if (user !== undefined && status.uid !== user && status.uid !== 0)
      throw unsafe(path, what, `belongs to user ${status.uid}`);
    if ((status.mode & OTHERS_WRITE) !== 0)
      throw unsafe(path, what, `has mode ${(status.mode & 0o7777).toString(8).padStart(4, "0")}`);
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
