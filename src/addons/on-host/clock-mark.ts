import { existsSync } from "node:fs";
import { decode, integer, object } from "../../base/decode.ts";
import { parseJson } from "../../base/json.ts";
import { quoted } from "../../base/printable.ts";
import { reason, writeAtomic } from "../../host/files.ts";
import type { Warning } from "../warning.ts";
import { readOwn } from "./own-file.ts";

const MODE = 0o644;
const MARK_BYTES = 4_096;
/** The mark is a bound and no clock: it moves in steps, so that most runs write nothing. */
const STEP_MS = 3_600_000;

const mark = object({ highest_ms: integer() });

/**
 * The time, and never one before the highest that was seen here: a clock that was set back must not bring back what
 * has expired.
 */
export function latestTime(path: string, now: Date): Date {
  return new Date(Math.max(now.getTime(), readMark(path)));
}

/** Remembers the time. Call it under the root's lock. */
export function noteTime(path: string, now: Date): Warning[] {
  const seen = readMark(path);
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

/** Milliseconds since 1970; 0 when no mark can be read. */
function readMark(path: string): number {
  if (!existsSync(path)) return 0;
  try {
    const bytes = readOwn(path, MARK_BYTES, "the clock mark");
    const decoded = decode(mark, parseJson(bytes, { what: "the clock mark", code: "record_mismatch" }));
    return decoded.ok && Number.isSafeInteger(decoded.value.highest_ms) && decoded.value.highest_ms <= 8.64e15
      ? decoded.value.highest_ms
      : 0;
  } catch {
    return 0;
  }
}
