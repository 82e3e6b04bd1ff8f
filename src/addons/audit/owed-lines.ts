import { boolean, decode, list, object, optional, string, type Decoder } from "../../base/decode.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import type { AuditEvent } from "./audit-chain.ts";

/**
 * A line that the log still has to get: it is written into the specs together with what it tells of, so that a kill
 * between the two loses neither.
 */
export type Owed = AuditEvent & {
  /** When it was done, ISO 8601: the line is known by it. */
  readonly time: string;
  /** Noted before it was done, where the specs do not change with it: whether it was has to be looked at. */
  readonly intended?: boolean | undefined;
};

export const owedLine: Decoder<Owed> = object({
  event: string(),
  addon_id: string(),
  version: optional(string()),
  sha256: optional(string()),
  keyid: optional(string()),
  keyids: optional(list(string(), LIMITS.trustedKeys)),
  detail: optional(string()),
  time: string(),
  intended: optional(boolean()),
});

export function owe(events: readonly AuditEvent[], now: Date, intended = false): Owed[] {
  const time = now.toISOString();
  return events.map((event) => ({ ...event, time, ...(intended ? { intended } : {}) }));
}

/** The event of a line, as the log has it. */
export function eventOfOwed({ time: _time, intended: _intended, ...event }: Owed): AuditEvent {
  return event;
}

const known = object({ time: string(), event: string(), addon_id: string(), version: optional(string()) });

/** Those of the lines that the end of the log has not. A kill may have come behind any of them. */
export function notInLog(tail: string, owed: readonly Owed[]): Owed[] {
  const there = new Set(tail.split("\n").flatMap(nameOf));
  return owed.filter((one) => !there.has(keyOf(one)));
}

/** None for what is no line, such as the first one of a tail, which is cut. */
function nameOf(line: string): string[] {
  try {
    const decoded = decode(known, parseJson(line, { what: "a line", code: "audit_broken" }));
    return decoded.ok ? [keyOf(decoded.value)] : [];
  } catch {
    return [];
  }
}

function keyOf({
  time,
  event,
  addon_id: id,
  version = "",
}: Pick<Owed, "time" | "event" | "addon_id" | "version">): string {
  return JSON.stringify([time, event, id, version]);
}
