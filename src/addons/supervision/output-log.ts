import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  openSync,
  readSync,
  rmSync,
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
  readonly #directory: string;
  readonly #folder: string;
  readonly #stdout: string;
  readonly #stderr: string;

  constructor(paths: AddonPaths) {
    this.#directory = paths.directory;
    this.#folder = join(paths.directory, "log");
    this.#stdout = join(this.#folder, "stdout.log");
    this.#stderr = join(this.#folder, "stderr.log");
  }

  /** Open for the next start, at its end; the caller closes both. Throws Failure `unsafe_path`, or what the system said. */
  open(): { readonly stdout: number; readonly stderr: number; readonly from: number } {
    ownDirectory(this.#directory);
    ownDirectory(this.#folder);
    const stdout = openLog(this.#stdout);
    try {
      return { stdout, stderr: openLog(this.#stderr), from: fstatSync(stdout).size };
    } catch (error) {
      closeSync(stdout);
      throw error;
    }
  }

  /** Cuts what has grown past its ceiling; true when the standard output was cut. */
  trim(): boolean {
    trim(this.#stderr);
    return trim(this.#stdout);
  }

  /** The first whole line from there on; null when there is none yet, or nobody can read it. */
  firstLine(from: number): string | null {
    let descriptor: number;
    try {
      descriptor = openSync(this.#stdout, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch {
      return null;
    }
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
  if (size <= 4 * LIMITS.sidecarLogBytes) keepCopy(path, `${path}.1`);
  truncateSync(path, 0);
  return true;
}

/** On a full disk what was before is given up: the ceiling is what the disk needs then. */
function keepCopy(path: string, copy: string): void {
  try {
    copyFileSync(path, copy);
  } catch {
    rmSync(copy, { force: true });
  }
}
