import { fs } from "./file-system.ts";
import { Failure } from "../base/failure.ts";
import type { FailureCode } from "../base/exit-codes.ts";
import { errorCode, reason } from "./files.ts";

/** All of standard input, at most `max` bytes; more is a Failure with `code`. */
export function readStandardInput(
  max: number,
  what: string,
  code: FailureCode = "input_invalid",
): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = new Uint8Array(64 * 1024);
    const read = readSomeInput(piece);
    if (read === 0) return new Uint8Array(Buffer.concat(pieces, length));
    length += read;
    if (length > max) throw new Failure(code, `${what} on standard input has more than ${max} bytes`);
    pieces.push(piece.subarray(0, read));
  }
}

function readSomeInput(into: Uint8Array): number {
  try {
    return readSome(0, into);
  } catch (error) {
    throw new Failure("input_invalid", `standard input cannot be read: ${reason(error)}`);
  }
}

/** What a stream has next, waiting for it; 0 at its end. Throws the system's error. */
export function readSome(descriptor: number, into: Uint8Array): number {
  for (;;) {
    try {
      return fs().readSync(descriptor, into, 0, into.length, null);
    } catch (error) {
      const code = errorCode(error);
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
    }
  }
}
