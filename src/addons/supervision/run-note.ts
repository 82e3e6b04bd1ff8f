import { closeSync, constants, existsSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { AddonPaths } from "../on-host/layout.ts";
import { decode, integer, nullable, object, string } from "../../base/decode.ts";
import { parseJson } from "../../base/json.ts";
import { bootId, isAlive, processesWith, type ProcessId } from "../../host/process-table.ts";
import { readBounded } from "../../host/files.ts";

/** The variable by which a program that was started is found again, whoever started it. */
export const START_VARIABLE = "WAYBILL_ADDON_START";

/**
 * One start, noted before it is made: a supervisor that is killed between the start and the next line finds the program
 * by `nonce`, and never starts a second one.
 */
export type RunNote = {
  readonly nonce: string;
  readonly boot: string;
  /** What was started; see `StartPlan`. */
  readonly key: string;
  readonly pid: number | null;
  readonly start_ticks: string | null;
  /** Where in its log the output of this start begins. */
  readonly stdout_from: number;
};

const MODE = 0o600;
const BYTES = 16_384;
/** More than any note has, less than a block. */
const PADDED_BYTES = 512;

const decoder = object({
  nonce: string("32 hex characters", (text) => /^[0-9a-f]{32}$/u.test(text)),
  boot: string(),
  key: string(),
  pid: nullable(integer()),
  start_ticks: nullable(string()),
  stdout_from: integer(),
});

function pathOf(paths: AddonPaths): string {
  return join(paths.directory, ".waybill-run.json");
}

/**
 * In place and in one piece: it is for who comes after a killed supervisor, and no boot outlives it. A file that is
 * there already takes it on a full disk as well, where a program that ended has to be started again all the same.
 */
export function writeRunNote(paths: AddonPaths, note: RunNote | null): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
  const descriptor = openSync(pathOf(paths), flags, MODE);
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(note).padEnd(PADDED_BYTES));
    writeSync(descriptor, bytes, 0, bytes.length, 0);
    ftruncateSync(descriptor, bytes.length);
  } finally {
    closeSync(descriptor);
  }
}

/** Nothing of it runs; the room on the disk is kept for the next start. */
export function clearRunNote(paths: AddonPaths): void {
  if (existsSync(pathOf(paths))) writeRunNote(paths, null);
}

/** What an earlier supervisor started and still runs; null when nothing does. */
export function stillRunning(
  paths: AddonPaths,
): { readonly note: RunNote; readonly leader: ProcessId } | null {
  const note = readRunNote(paths);
  if (note === null || note.boot !== bootId()) return null;
  if (note.pid !== null && note.start_ticks !== null) {
    const leader = { pid: note.pid, startTicks: note.start_ticks };
    if (isAlive(leader)) return { note, leader };
  }
  // The first one is the one that was started; the others are its children.
  const [leader] = processesWith(START_VARIABLE, note.nonce).toSorted((a, b) => {
    const ticks = BigInt(a.startTicks) - BigInt(b.startTicks);
    return ticks === 0n ? a.pid - b.pid : Number(ticks > 0n) * 2 - 1;
  });
  return leader === undefined ? null : { note, leader };
}

function readRunNote(paths: AddonPaths): RunNote | null {
  if (!existsSync(pathOf(paths))) return null;
  try {
    const bytes = readBounded(pathOf(paths), BYTES, "the note about the start");
    const decoded = decode(decoder, parseJson(bytes, { what: "the note", code: "record_mismatch" }));
    return decoded.ok ? decoded.value : null;
  } catch {
    return null;
  }
}
