import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync } from "node:fs";
import { quoted } from "../../base/printable.ts";
import { reason, writeAll } from "../../host/files.ts";
import { auditLine, EMPTY_LOG, headAfter, type AuditEvent, type AuditHead } from "./audit-chain.ts";
import type { Warning } from "../warning.ts";
import { sha256Of } from "../../base/hashing.ts";

const LOG_MODE = 0o600;
/** No line is near this long. */
const TAIL_BYTES = 65_536;

/** The log of what was done on a host: append only, chained, each line durable. Use it under the root's lock. */
export class AuditLog {
  readonly #path: string;
  readonly #now: () => Date;

  constructor(path: string, now: () => Date) {
    this.#path = path;
    this.#now = now;
  }

  /** What is done is not undone because it could not be noted: that comes back as a warning. */
  append(event: AuditEvent): Warning[] {
    try {
      this.#append(event);
      return [];
    } catch (error) {
      const message = `${quoted(this.#path)} has no line for ${event.event} of ${quoted(event.addon_id)}: ${reason(error)}`;
      return [{ code: "audit_not_written", message }];
    }
  }

  #append(event: AuditEvent): void {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
    const descriptor = openSync(this.#path, flags, LOG_MODE);
    try {
      const line = auditLine(lastLine(descriptor), event, this.#now().toISOString());
      writeAll(descriptor, new TextEncoder().encode(`${line}\n`));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

/** The end of the chain. A line that a power cut left half is taken away: what it told of is in the specs. */
function lastLine(descriptor: number): AuditHead {
  const { size } = fstatSync(descriptor);
  const tail = new Uint8Array(Math.min(size, TAIL_BYTES));
  let length = 0;
  while (length < tail.length) {
    const count = readSync(descriptor, tail, length, tail.length - length, size - tail.length + length);
    if (count === 0) break;
    length += count;
  }
  const end = tail.lastIndexOf(0x0a);
  if (end + 1 < tail.length) ftruncateSync(descriptor, size - tail.length + end + 1);
  if (end === -1) return EMPTY_LOG;
  const line = new TextDecoder().decode(tail.subarray(tail.lastIndexOf(0x0a, end - 1) + 1, end));
  const seq = /^\{"seq":(\d{1,15}),/u.exec(line)?.[1];
  return { ...headAfter(EMPTY_LOG, line), seq: Number(seq ?? 0), digest: sha256Of(line) };
}
