import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/**
 * The first `max` bytes of a regular file that was read before, or null when it is none any more. Links are not
 * followed, and a FIFO that took its place does not block.
 */
export function readStart(place: string | Buffer, max: number): Uint8Array | null {
  let descriptor: number;
  try {
    descriptor = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    if (!fstatSync(descriptor).isFile()) return null;
    const bytes = new Uint8Array(max);
    let length = 0;
    while (length < max) {
      const read = readSync(descriptor, bytes, length, max - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } catch {
    return null;
  } finally {
    closeSync(descriptor);
  }
}
