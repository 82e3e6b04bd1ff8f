import { closeSync, existsSync, ftruncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { AddonPaths } from "../on-host/layout.ts";
import {
  decode,
  integer,
  isMap,
  nullable,
  object,
  oneOf,
  optional,
  string,
  within,
  type Decoder,
} from "../../base/decode.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { killLeftovers } from "../../host/children.ts";
import { bootId, isAlive, processesWith, type ProcessId } from "../../host/process-table.ts";
import { readOwn, requireOwn } from "../on-host/own-file.ts";
import { openPlain } from "./plain-file.ts";
import type { Listening } from "./handshake.ts";

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
  /** Where its handshake said that it listens; noted when the log is cut, and the line lost with it. */
  readonly listening?: Listening | undefined;
};

const WHAT = "the note about the start";
const MODE = 0o600;
/** More than any note has, less than a block. */
const PADDED_BYTES = 512;

const listening: Decoder<Listening> = (value, path, problems) =>
  isMap(value) && Object.hasOwn(value, "port")
    ? object({ host: oneOf("127.0.0.1", "::1"), port: within(1, 65_535) })(value, path, problems)
    : object({ path: string() })(value, path, problems);

const decoder = object({
  nonce: string("32 hex characters", (text) => /^[0-9a-f]{32}$/u.test(text)),
  boot: string(),
  key: string(),
  pid: nullable(integer()),
  start_ticks: nullable(string()),
  stdout_from: integer(),
  listening: optional(listening),
});

function pathOf(paths: AddonPaths): string {
  return join(paths.directory, ".waybill-run.json");
}

/**
 * In place and in one piece: it is for who comes after a killed supervisor, and no boot outlives it. A file that is
 * there already takes it on a full disk as well, where a program that ended has to be started again all the same. One
 * that others could write is not written, and so nothing is started: nobody could be told later what runs. Throws
 * Failure `unsafe_path`, or what the system said.
 */
export function writeRunNote(paths: AddonPaths, note: RunNote | null): void {
  const descriptor = openPlain(pathOf(paths), 0, MODE);
  try {
    requireOwn(descriptor, pathOf(paths), WHAT);
    const bytes = new TextEncoder().encode(JSON.stringify(note).padEnd(PADDED_BYTES));
    writeSync(descriptor, bytes, 0, bytes.length, 0);
    ftruncateSync(descriptor, bytes.length);
  } finally {
    closeSync(descriptor);
  }
}

/** Nothing of it runs; the room on the disk is kept for the next start. A note that stays names what is gone. */
export function clearRunNote(paths: AddonPaths): void {
  tryToNote(paths, null);
}

/** For what can be done without: on a disk that takes nothing what runs is watched nevertheless. */
export function tryToNote(paths: AddonPaths, note: RunNote | null): void {
  try {
    writeRunNote(paths, note);
  } catch {
    // Whoever comes after us finds the program by its number, or nothing.
  }
}

/** A start that goes on, and the process that it made. */
export type Running = { readonly note: RunNote; readonly leader: ProcessId };

/** What an earlier supervisor started and still runs; null when nothing does, and nothing is left of it then. */
export function stillRunning(paths: AddonPaths): Running | null {
  const note = readRunNote(paths);
  if (note === null || note.boot !== bootId()) return null;
  const leader = leaderOf(note);
  if (leader !== null) return { note, leader };
  // It ended while nobody watched: what it left behind would hold its files and ports when it is started again.
  killLeftovers(START_VARIABLE, note.nonce);
  return null;
}

function leaderOf({ nonce, pid, start_ticks: ticks }: RunNote): ProcessId | null {
  if (pid !== null && ticks !== null) {
    const noted = { pid, startTicks: ticks };
    return isAlive(noted) ? noted : null;
  }
  // Killed between the start and its number. The first one is the one that was started; the others are its children.
  const [first] = processesWith(START_VARIABLE, nonce).toSorted((a, b) => {
    const difference = BigInt(a.startTicks) - BigInt(b.startTicks);
    return difference === 0n ? a.pid - b.pid : Number(difference > 0n) * 2 - 1;
  });
  return first ?? null;
}

/** null also for one that others could write: it names processes to end, and a start tells of it. */
function readRunNote(paths: AddonPaths): RunNote | null {
  if (!existsSync(pathOf(paths))) return null;
  try {
    const bytes = readOwn(pathOf(paths), LIMITS.runtimeNoteBytes, WHAT);
    const decoded = decode(decoder, parseJson(bytes, { what: "the note", code: "record_mismatch" }));
    return decoded.ok ? decoded.value : null;
  } catch {
    return null;
  }
}
