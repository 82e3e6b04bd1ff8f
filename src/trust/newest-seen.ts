import { decode, type Decoder } from "../base/decode.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { parseJson, type JsonMap } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { isThere, PendingFile, readBounded, statusAt } from "../host/files.ts";
import { acquireBriefLock, lockingWorks, type Lock } from "../host/locks.ts";
import { writePublicOutput } from "./public-output.ts";

/** How long another run that writes the same file is waited for, in milliseconds. */
const LOCK_BUDGET_MS = 10_000;

/** A small file that remembers the newest of something that was seen on this machine. */
export type Memory<T> = {
  readonly file: string;
  /** What messages call it. */
  readonly name: string;
  readonly decoder: Decoder<T>;
  /** Whether what is there now is newer than what was seen; throws when it is older. */
  readonly rises: (seen: T) => boolean;
  /** What to remember of it. */
  readonly document: JsonMap;
};

/**
 * Holds what is there now against the newest that was seen, and remembers it when it is newer; the file is made when
 * there is none. Of several runs at once the newest stays. Throws what `rises` throws, and Failure `config_invalid`,
 * `file_unreadable`, `lock_held` or `output_not_written`.
 */
export function rememberNewest<T>(memory: Memory<T>): void {
  const { file, name, document } = memory;
  const text = `${JSON.stringify(document)}\n`;
  const seen = readSeen(memory);
  if (seen === null ? isFirst(file, text) : !memory.rises(seen)) return;
  const what = `${name} ${quoted(file)}`;
  const lock = lockOn(file, what);
  try {
    // Asked again: another run may have seen a newer one meanwhile.
    const current = readSeen(memory);
    if (current === null || memory.rises(current)) writePublicOutput(file, text, { name: what });
  } finally {
    lock?.release();
  }
}

/** Whether this run has made the file: none did before. What was in the way is told by whoever then writes it. */
function isFirst(file: string, text: string): boolean {
  try {
    const pending = new PendingFile(file, 0o644);
    try {
      pending.write(new TextEncoder().encode(text));
      pending.commitNew();
      return true;
    } finally {
      pending.discard();
    }
  } catch {
    return false;
  }
}

/** Null where there are no locks, or none on this file: what is in the way of writing is then told by the writing. */
function lockOn(path: string, what: string): Lock | null {
  // A lock makes the file, and an empty one would be one that somebody emptied.
  if (statusAt(path)?.isFile() !== true || !lockingWorks()) return null;
  try {
    return acquireBriefLock({ path, what, budgetMs: LOCK_BUDGET_MS });
  } catch (error) {
    if (asFailure(error).code === "lock_held") throw error;
    return null;
  }
}

function readSeen<T>({ file, name, decoder }: Memory<T>): T | null {
  if (!isThere(file, name)) return null;
  const what = `${name} ${quoted(file)}`;
  const bytes = readBounded(file, LIMITS.secretBytes, name);
  const decoded = decode(decoder, parseJson(bytes, { what, code: "config_invalid" }));
  if (decoded.ok) return decoded.value;
  throw new Failure("config_invalid", `${what}: ${decoded.problems.join("; ")}`);
}
