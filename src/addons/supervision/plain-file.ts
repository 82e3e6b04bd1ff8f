import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";

const NEVER_WAIT = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a regular file to write it, and makes it when it is missing. A pipe that an add-on put in its place would make
 * the agent wait for ever, and everything with it. Throws Failure `unsafe_path`, or what the system said.
 */
export function openPlain(path: string, flags: number, mode: number): number {
  const descriptor = openSync(path, flags | constants.O_WRONLY | constants.O_CREAT | NEVER_WAIT, mode);
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new Failure("unsafe_path", `${quoted(path)} is not a regular file`, {
    hint: "an add-on or somebody else put it there; look at it and remove it",
  });
}
