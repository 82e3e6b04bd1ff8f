import { LIMITS } from "../../base/limits.ts";
import { ifThere, readProven } from "../on-host/own-file.ts";

/** How often a log that ends within a line is looked at, and after how many milliseconds again. */
const LOOKS = 5;
const PAUSE_MS = 20;

/**
 * The log as it is, beside those who write it; null when there is none. Where a write goes on over the end of a page
 * of memory its half is there before the whole: that is no line that somebody cut. Throws Failure as `readProven`.
 */
export async function readLog(path: string): Promise<Uint8Array | null> {
  for (let looks = 1; ; looks++) {
    const bytes = ifThere(() => readProven(path, LIMITS.auditBytes, "the audit log"));
    if (bytes === null || bytes.length === 0 || bytes.at(-1) === 0x0a || looks === LOOKS) return bytes;
    await Bun.sleep(PAUSE_MS);
  }
}
