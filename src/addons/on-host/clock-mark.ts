import { decode, object, within } from "../../base/decode.ts";
import { Failure } from "../../base/failure.ts";
import { LAST_INSTANT } from "../../base/instant.ts";
import { parseJson } from "../../base/json.ts";
import { quoted } from "../../base/printable.ts";
import { reason, writeAtomic } from "../../host/files.ts";
import type { Warning } from "../warning.ts";
import { ifThere, readOwn } from "./own-file.ts";
import { storageFailure } from "./storage-failure.ts";

const MODE = 0o644;
const MARK_BYTES = 4_096;
/** The mark is a bound and no clock: it moves in steps, so that most runs write nothing. */
const STEP_MS = 3_600_000;

const mark = object({ highest_ms: within(0, LAST_INSTANT.getTime()) });

/**
 * The time, and never one before the highest that was seen here: a clock that was set back must not bring back what
 * has expired. With a mark that cannot be read it is the last instant: whoever only breaks it gains no time.
 */
export function latestTime(path: string, now: Date): Date {
  const seen = readMark(path);
  return seen instanceof Failure ? LAST_INSTANT : new Date(Math.max(now.getTime(), seen));
}

/** What is to be told of a mark that cannot be read. */
export function markWarnings(path: string): Warning[] {
  const seen = readMark(path);
  if (!(seen instanceof Failure)) return [];
  const message = `${seen.message}; until ${quoted(path)} is removed, whatever expires counts as expired`;
  return [{ code: "state_unreadable", message }];
}

/** Remembers the time. One that cannot be read stays, as it may guard against much. Call it under the root's lock. */
export function noteTime(path: string, now: Date): Warning[] {
  const seen = readMark(path);
  if (seen instanceof Failure) return markWarnings(path);
  const ms = now.getTime();
  if (ms + STEP_MS < seen) {
    const message = `the clock says ${now.toISOString()} and was at ${new Date(seen).toISOString()} before; what expired by then stays expired (when it was wrong before, remove ${quoted(path)})`;
    return [{ code: "clock_went_back", message }];
  }
  if (ms < seen + STEP_MS) return [];
  try {
    writeAtomic(path, `${JSON.stringify({ highest_ms: ms })}\n`, MODE);
    return [];
  } catch (error) {
    const message = `${quoted(path)} cannot be written: ${reason(error)}; a clock that is set back will not be noticed`;
    return [{ code: "clock_not_written", message }];
  }
}

/** Milliseconds since 1970; 0 when there is no mark. */
function readMark(path: string): number | Failure {
  const what = "the clock mark";
  try {
    const bytes = ifThere(() => readOwn(path, MARK_BYTES, what));
    if (bytes === null) return 0;
    const decoded = decode(mark, parseJson(bytes, { what, code: "record_mismatch" }));
    if (decoded.ok) return decoded.value.highest_ms;
    return new Failure("record_mismatch", `${what} ${quoted(path)}: ${decoded.problems.join("; ")}`);
  } catch (error) {
    return storageFailure(error, path);
  }
}
