import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { quoted } from "../../base/printable.ts";
import { fsyncDirectory, readAt, reason, writeAll } from "../../host/files.ts";
import { auditLine, EMPTY_LOG, headAfter, type AuditEvent, type AuditHead } from "./audit-chain.ts";
import { eventOfOwed, notInLog, owe, type Owed } from "./owed-lines.ts";
import type { Warning } from "../warning.ts";
import { sha256Of } from "../../base/hashing.ts";

const LOG_MODE = 0o600;
/** No line is near this long: ids and versions are names, or cut, and no statement has more than a few signers. */
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
    return this.#noting(event, () => this.#append(() => this.owe([event]), {}));
  }

  /** Lines for what is about to be written with the specs, or with `intended` about to be done beside them. */
  owe(events: readonly AuditEvent[], intended = false): Owed[] {
    return owe(events, this.#now(), intended);
  }

  /** Writes lines that are owed, and not there yet; `recovered` says that a killed run left them. */
  pay(owed: readonly Owed[], recovered: boolean): Warning[] {
    const [first] = owed;
    if (first === undefined) return [];
    return this.#noting(first, () =>
      this.#append((tail) => notInLog(tail, owed), recovered ? { recovered } : {}),
    );
  }

  #noting(event: AuditEvent, write: () => void): Warning[] {
    try {
      write();
      return [];
    } catch (error) {
      const message = `${quoted(this.#path)} has no line for ${event.event} of ${quoted(event.addon_id)}: ${reason(error)}`;
      return [{ code: "audit_not_written", message }];
    }
  }

  #append(linesBehind: (tail: string) => readonly Owed[], more: Pick<AuditEvent, "recovered">): void {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
    const descriptor = openSync(this.#path, flags, LOG_MODE);
    try {
      const tail = readTail(descriptor);
      const lines = linesBehind(tail.text);
      let { head } = tail;
      let text = "";
      for (const owed of lines) {
        const line = auditLine(head, { ...eventOfOwed(owed), ...more }, owed.time);
        text += `${line}\n`;
        head = headAfter(head, line);
      }
      if (lines.length === 0) return;
      writeAll(descriptor, new TextEncoder().encode(text));
      fsyncSync(descriptor);
      // The name of a new log is no more durable than its folder: the specs do not owe these lines any more.
      if (tail.head.seq === 0) fsyncDirectory(dirname(this.#path));
    } finally {
      closeSync(descriptor);
    }
  }
}

/** The end of the log. A line that a power cut left half is taken away: what it told of is in the specs. */
function readTail(descriptor: number): { readonly head: AuditHead; readonly text: string } {
  const { size } = fstatSync(descriptor);
  const begin = Math.max(0, size - TAIL_BYTES);
  const tail = readAt(descriptor, begin, size - begin);
  const end = tail.lastIndexOf(0x0a);
  if (end + 1 < tail.length) ftruncateSync(descriptor, begin + end + 1);
  if (end === -1) return { head: EMPTY_LOG, text: "" };
  const text = new TextDecoder().decode(tail.subarray(0, end + 1));
  const line = new TextDecoder().decode(tail.subarray(tail.lastIndexOf(0x0a, end - 1) + 1, end));
  const seq = /^\{"seq":(\d{1,15}),/u.exec(line)?.[1];
  return { head: { seq: Number(seq ?? 0), digest: sha256Of(line) }, text };
}
