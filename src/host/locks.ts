import { FFIType } from "bun:ffi";
import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { throwIfStopped } from "../base/interruption.ts";
import { quoted } from "../base/printable.ts";
import { cLibrary } from "./c-library.ts";
import { errorCode, reason } from "./files.ts";

export type LockRequest = {
  readonly path: string;
  /** What the lock protects, for messages. */
  readonly what: string;
  /** Milliseconds to wait for another holder; 0 tries once. */
  readonly budgetMs: number;
  readonly stop: AbortSignal;
};

export type Lock = { readonly release: () => void };

/** `waited`: somebody else had it first, and may have changed what it protects. */
export type AcquiredLock = Lock & { readonly waited: boolean };

const LOCK_EX = 2;
const LOCK_NB = 4;
const POLL_MS = 50;
const BRIEF_POLL_MS = 2;

/**
 * An exclusive lock between processes (flock on a file that is never removed). The kernel releases it when the
 * holder ends in any way, so there is no stale lock to clean up. Throws Failure `lock_held` after the budget.
 */
export async function acquireLock(wanted: LockRequest): Promise<AcquiredLock> {
  const deadline = performance.now() + wanted.budgetMs;
  for (let waited = false; ; waited = true) {
    throwIfStopped(wanted.stop, `waiting for the lock of ${wanted.what}`);
    const lock = tryLock(wanted);
    if (lock !== null) return { ...lock, waited };
    if (performance.now() >= deadline) throw stillHeld(wanted);
    await Bun.sleep(POLL_MS);
  }
}

/** The same without a pause in which anything else runs: for locks that are held while one small file is written. */
export function acquireBriefLock(wanted: Wanted): Lock {
  const deadline = performance.now() + wanted.budgetMs;
  for (;;) {
    const lock = tryLock(wanted);
    if (lock !== null) return lock;
    if (performance.now() >= deadline) throw stillHeld(wanted);
    Bun.sleepSync(BRIEF_POLL_MS);
  }
}

type Wanted = Omit<LockRequest, "stop">;

function tryLock(wanted: Wanted): Lock | null {
  const descriptor = openLockFile(wanted);
  if (lockOpened(descriptor, wanted.path)) return { release: () => closeSync(descriptor) };
  closeSync(descriptor);
  return null;
}

/** Locks what is open and is still the file of that name, until it is closed; false when somebody else has it. */
export function lockOpened(descriptor: number, path: string): boolean {
  // Somebody may have removed the file meanwhile: then the next process would lock another one.
  return loadFlock()(descriptor, LOCK_EX | LOCK_NB) === 0 && isStillAt(descriptor, path);
}

function stillHeld({ what, path, budgetMs }: Wanted): Failure {
  return new Failure("lock_held", `${what} is locked by another process (${quoted(path)})`, {
    hint: `waited ${budgetMs} ms; wait for the other run, or allow more time`,
  });
}

function openLockFile(wanted: Wanted): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let descriptor: number;
  try {
    descriptor = openSync(wanted.path, flags, 0o600);
  } catch (error) {
    const code = errorCode(error) === "ELOOP" ? "unsafe_path" : "storage_failed";
    throw new Failure(code, `the lock file ${quoted(wanted.path)} cannot be opened: ${reason(error)}`, {
      cause: error,
    });
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new Failure("unsafe_path", `the lock file ${quoted(wanted.path)} is not a regular file`, {
    hint: "somebody put something else there; look at it and remove it",
  });
}

function isStillAt(descriptor: number, path: string): boolean {
  const held = fstatSync(descriptor);
  try {
    const named = statSync(path);
    return held.ino === named.ino && held.dev === named.dev;
  } catch {
    return false;
  }
}

/** Whether locks can be had on this machine; loads what they need, takes none. */
export function lockingWorks(): boolean {
  try {
    loadFlock();
    return true;
  } catch {
    return false;
  }
}

type Flock = (descriptor: number, operation: number) => number;
let loaded: Flock | undefined;

/** Node and Bun have no call for it. */
function loadFlock(): Flock {
  loaded ??= cLibrary(
    { flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 } },
    "locks are not available",
  ).flock;
  return loaded;
}
