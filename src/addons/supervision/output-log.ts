import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  lstatSync,
  openSync,
  rmSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { ownDirectory } from "../on-host/directories.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import { LIMITS } from "../../base/limits.ts";
import { readAt } from "../../host/files.ts";
import { openPlain } from "./plain-file.ts";

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

  /**
   * Open for the next start, at its end; the caller closes both.
   * Throws Failure `unsafe_path`, or what the system said.
   */
  open(): { readonly stdout: number; readonly stderr: number; readonly from: number } {
    ownDirectory(this.#directory);
    ownDirectory(this.#folder);
    const stdout = openPlain(this.#stdout, constants.O_APPEND, MODE);
    try {
      return {
        stdout,
        stderr: openPlain(this.#stderr, constants.O_APPEND, MODE),
        from: fstatSync(stdout).size,
      };
    } catch (error) {
      closeSync(stdout);
      throw error;
    }
  }

  /** Cuts what has grown past its ceiling; true when the standard output was cut. */
  trim(): boolean {
    tryToTrim(this.#stderr);
    return tryToTrim(this.#stdout);
  }

  /** The first whole line from there on; null when there is none yet, or nobody can read it. */
  firstLine(from: number): string | null {
    try {
      return lineAt(this.#stdout, from);
    } catch {
      return null;
    }
  }
}

function lineAt(path: string, from: number): string | null {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const descriptor = openSync(path, flags);
  try {
    const bytes = readAt(descriptor, from, LINE_BYTES);
    const end = bytes.indexOf(0x0a);
    return end === -1 ? null : new TextDecoder().decode(bytes.subarray(0, end));
  } finally {
    closeSync(descriptor);
  }
}

/** What cannot be cut now, on a disk that became read-only or below what is no folder any more, is cut later. */
function tryToTrim(path: string): boolean {
  try {
    return trim(path);
  } catch {
    return false;
  }
}

function trim(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  const size = status?.isFile() === true ? status.size : 0;
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
