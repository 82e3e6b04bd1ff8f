import type { Sha256 } from "../../base/digest.ts";

/** What the system says about a file that changes whenever its bytes, mode or owner do. Large numbers as text. */
export type FileMark = {
  readonly name: string;
  readonly dev: string;
  readonly ino: string;
  readonly size: string;
  readonly mtime_ns: string;
  /** Not to be set by anybody: the kernel writes it with every change. */
  readonly ctime_ns: string;
  readonly mode: number;
  readonly uid: number;
};

/** A note that a whole folder was verified at a moment, so that the next run need not read it all again. */
export type Stamp = {
  readonly folder: string;
  readonly artifact_sha256: Sha256;
  /** As assigned; "" for none. */
  readonly artifact_signature: string;
  readonly binary_name: string;
  readonly keyid: string | null;
  /** Milliseconds since 1970, from before the verification began. */
  readonly taken_ms: number;
  readonly files: readonly FileMark[];
};

/**
 * A change within this time of the verification could leave the same times: a clock tick, or the two seconds of
 * some file systems.
 */
const TICK_MS = 2_000;

/** Whether files with these marks can be told apart from any later state of theirs. */
export function isSettled(files: readonly FileMark[], takenMs: number): boolean {
  return files.every((file) => Number(BigInt(file.ctime_ns) / 1_000_000n) + TICK_MS < takenMs);
}

/** Whether what was verified then is what is there now, and is what is wanted. */
export function stampHolds(
  stamp: Stamp,
  wanted: Pick<Stamp, "folder" | "artifact_sha256" | "artifact_signature" | "binary_name">,
  found: readonly FileMark[],
): boolean {
  return (
    stamp.folder === wanted.folder &&
    stamp.artifact_sha256 === wanted.artifact_sha256 &&
    stamp.artifact_signature === wanted.artifact_signature &&
    stamp.binary_name === wanted.binary_name &&
    isSettled(stamp.files, stamp.taken_ms) &&
    Bun.deepEquals(stamp.files, found)
  );
}
