import { decode, integer, object, string } from "../../base/decode.ts";
import { asFailure } from "../../base/failure.ts";
import { sha256Of } from "../../base/hashing.ts";
import { parseJson } from "../../base/json.ts";

/** What was done to an add-on. Nothing here may be secret: no arguments, no configuration, no tokens. */
export type AuditEvent = {
  readonly event: string;
  readonly addon_id: string;
  readonly version?: string | undefined;
  readonly sha256?: string | undefined;
  readonly keyid?: string | undefined;
  /** A code or a word more. */
  readonly detail?: string | undefined;
};

/** The last line of a log: the next one names its digest, so that no line can be changed or taken out unseen. */
export type AuditHead = { readonly seq: number; readonly digest: string };

export const EMPTY_LOG: AuditHead = { seq: 0, digest: "0".repeat(64) };

/** One line without its line break. `time` is ISO 8601. */
export function auditLine(head: AuditHead, event: AuditEvent, time: string): string {
  return JSON.stringify({ seq: head.seq + 1, time, ...event, prev: head.digest });
}

export function headAfter(head: AuditHead, line: string): AuditHead {
  return { seq: head.seq + 1, digest: sha256Of(line) };
}

const members = object({
  seq: integer(),
  time: string(),
  event: string(),
  addon_id: string(),
  prev: string(),
});

export type AuditCheck = {
  readonly lines: number;
  /** Digest of the last line: who notes it elsewhere also sees when lines are cut off the end. */
  readonly head: string;
  /** What is wrong with the chain; null when it holds. */
  readonly problem: string | null;
};

/**
 * Checks a whole log: every line names the digest of the one before it, and the numbers have no gap. With `noted`, a
 * digest from an earlier check, that line has to be there still.
 */
export function checkChain(text: string, noted?: string): AuditCheck {
  let head = EMPTY_LOG;
  let seen = noted === undefined || noted === EMPTY_LOG.digest;
  const lines = text.split("\n");
  const rest = lines.pop();
  for (const line of lines) {
    const problem = problemOf(line, head);
    if (problem !== null) return { lines: head.seq, head: head.digest, problem };
    head = headAfter(head, line);
    seen ||= head.digest === noted;
  }
  const cut = seen ? null : `no line has the digest ${noted}, which was noted earlier`;
  const problem = rest === "" ? cut : "the last line has no end";
  return { lines: head.seq, head: head.digest, problem };
}

function problemOf(line: string, head: AuditHead): string | null {
  const at = `line ${head.seq + 1}`;
  try {
    const decoded = decode(members, parseJson(line, { what: at, code: "audit_broken" }));
    if (!decoded.ok) return `${at}: ${decoded.problems.join("; ")}`;
    if (decoded.value.seq !== head.seq + 1) return `${at} has the number ${decoded.value.seq}`;
    return decoded.value.prev === head.digest ? null : `${at} does not follow the line before it`;
  } catch (error) {
    return asFailure(error).message;
  }
}
