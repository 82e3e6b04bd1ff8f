import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { ownDirectory } from "../on-host/directories.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import { LIMITS } from "../../base/limits.ts";

const MODE = 0o600;
const LINE_BYTES = 8_192;

/**
 * The output of one add-on, in files with a ceiling. The program writes to them itself, so that its output does not end
 * with us; so they are cut from outside, and what is written in the moment of the cut is lost.
 */
export class OutputLog {
  readonly #stdout: string;
  readonly #stderr: string;

  constructor(paths: AddonPaths) {
    const folder = join(paths.directory, "log");
    ownDirectory(paths.directory);
    ownDirectory(folder);
    this.#stdout = join(folder, "stdout.log");
    this.#stderr = join(folder, "stderr.log");
  }

  /** Open for the next start, at its end; the caller closes both. */
  open(): { readonly stdout: number; readonly stderr: number; readonly from: number } {
    const stdout = openLog(this.#stdout);
    return { stdout, stderr: openLog(this.#stderr), from: fstatSync(stdout).size };
  }

  /** Cuts what has grown past its ceiling; true when the standard output was cut. */
  trim(): boolean {
    trim(this.#stderr);
    return trim(this.#stdout);
  }

  /** The first whole line from there on; null when there is none yet. */
  firstLine(from: number): string | null {
    const descriptor = openSync(this.#stdout, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const bytes = new Uint8Array(LINE_BYTES);
      const length = readSync(descriptor, bytes, 0, bytes.length, from);
      const end = bytes.subarray(0, length).indexOf(0x0a);
      return end === -1 ? null : new TextDecoder().decode(bytes.subarray(0, end));
    } finally {
      closeSync(descriptor);
    }
  }
}

function openLog(path: string): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  return openSync(path, flags, MODE);
}

function trim(path: string): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= LIMITS.sidecarLogBytes) return false;
  // A program that wrote a gigabyte meanwhile would have it kept twice.
  if (size <= 4 * LIMITS.sidecarLogBytes) copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
  return true;
}
