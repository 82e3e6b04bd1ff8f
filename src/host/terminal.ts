import { constants, openSync, readSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { Failure } from "../base/failure.ts";
import { interruption } from "../base/interruption.ts";
import { errorCode } from "./files.ts";

const POLL_MS = 20;
const MAX_BYTES = 1_024;
const KEY = { interrupt: 3, end: 4, backspace: 8, newline: 10, enter: 13, kill: 21, delete: 127 } as const;

/**
 * One line that the person types without seeing it, from the terminal itself: standard input may be a pipe. Null
 * when this process has no terminal. Throws the interruption at ^C or when `stop` is aborted.
 */
export async function askHidden(question: string, stop: AbortSignal): Promise<Uint8Array | null> {
  let descriptor: number;
  try {
    descriptor = openSync("/dev/tty", constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
  // It owns the descriptor from here on, and knows how to switch the echo off and on again.
  const terminal = new ReadStream(descriptor);
  terminal.setRawMode(true);
  try {
    writeSync(descriptor, question);
    return await readHidden(descriptor, stop);
  } finally {
    terminal.setRawMode(false);
    writeSync(descriptor, "\n");
    terminal.destroy();
  }
}

async function readHidden(descriptor: number, stop: AbortSignal): Promise<Uint8Array> {
  const typed: number[] = [];
  const piece = new Uint8Array(64);
  for (;;) {
    if (stop.aborted) throw interruption(stop, "asking for a passphrase");
    const read = readTyped(descriptor, piece);
    if (read === null) {
      await Bun.sleep(POLL_MS);
      continue;
    }
    if (read === 0) return Uint8Array.from(typed);
    for (const byte of piece.subarray(0, read)) {
      if (byte === KEY.enter || byte === KEY.newline || byte === KEY.end) return Uint8Array.from(typed);
      // In raw mode the terminal sends no signal for it.
      if (byte === KEY.interrupt)
        throw new Failure("interrupted", "stopped by ^C while asking for a passphrase");
      if (byte === KEY.kill) typed.length = 0;
      else if (byte === KEY.backspace || byte === KEY.delete) dropCharacter(typed);
      else if (typed.length < MAX_BYTES) typed.push(byte);
    }
  }
}

/** Bytes that were read, or null when nothing has been typed yet. */
function readTyped(descriptor: number, into: Uint8Array): number | null {
  try {
    return readSync(descriptor, into, 0, into.length, null);
  } catch (error) {
    if (errorCode(error) === "EAGAIN") return null;
    throw error;
  }
}

/** One character of UTF-8, which has a first byte and perhaps some that follow. */
function dropCharacter(typed: number[]): void {
  while (((typed.pop() ?? 0) & 0xc0) === 0x80);
}
