import { closeSync, fstatSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { reason } from "./files.ts";
import { readSome } from "./standard-input.ts";

/**
 * All bytes of a descriptor that the caller opened for us (`3< file`, `3<<<text`, a pipe), at most `max`; it is closed
 * afterwards, so that nobody reads a secret from it again. Throws Failure `input_invalid`.
 */
export function readInheritedDescriptor(descriptor: number, max: number, what: string): Uint8Array {
  // Standard input is there in any case: empty, a device, a terminal.
  if (descriptor !== 0 && !isReadable(descriptor))
    throw new Failure("input_invalid", `${what}: descriptor ${descriptor} is not an open file or pipe`, {
      hint: `open it in the shell: waybill … ${descriptor}< FILE`,
    });
  const buffer = new Uint8Array(max + 1);
  let length = 0;
  try {
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSome(descriptor, buffer.subarray(length));
  } catch (error) {
    throw new Failure("input_invalid", `${what}: descriptor ${descriptor} cannot be read: ${reason(error)}`);
  } finally {
    if (descriptor > 2) closeSync(descriptor);
  }
  if (length > max)
    throw new Failure("input_invalid", `${what}: descriptor ${descriptor} gives more than ${max} bytes`);
  return buffer.slice(0, length);
}

/**
 * The runtime has descriptors of its own, which are neither files nor pipes. Their flags tell nothing: Bun marks every
 * descriptor from 4 on as close-on-exec when it starts, inherited or not.
 */
function isReadable(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isFile() || status.isFIFO() || status.isSocket();
  } catch {
    return false;
  }
}
