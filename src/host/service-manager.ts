import { FFIType } from "bun:ffi";
import { closeSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { cLibrary } from "./c-library.ts";
import { AF_UNIX, DATAGRAMS, unixAddress } from "./unix-address.ts";

export type ServiceState = "READY=1" | "RELOADING=1" | "STOPPING=1";

/** A reader that is gone must not end us with SIGPIPE. */
const MSG_NOSIGNAL = 0x4000;
const CLOCK_MONOTONIC = 1;

/**
 * Tells whoever started this process what it does now, as sd_notify(3) has it; `socket` is its NOTIFY_SOCKET. Throws
 * Failure `unsupported_platform` or `storage_failed`.
 */
export function tellManager(socket: string, state: ServiceState): void {
  const to = /^[/@]./u.test(socket) ? unixAddress(socket) : null;
  if (to === null) throw untold(socket, "that is no address of a unix socket");
  const library = cLibrary(
    {
      socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
      sendto: {
        args: [FFIType.i32, FFIType.ptr, FFIType.u64_fast, FFIType.i32, FFIType.ptr, FFIType.u32],
        returns: FFIType.i64_fast,
      },
      clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
    },
    "a service manager cannot be told anything",
  );
  // By which systemd knows that this is the answer to its latest signal, and not to one before.
  const since = state === "RELOADING=1" ? `\nMONOTONIC_USEC=${microseconds(library.clock_gettime)}` : "";
  const message = new TextEncoder().encode(`${state}${since}`);
  const descriptor = library.socket(AF_UNIX, DATAGRAMS, 0);
  if (descriptor < 0) throw untold(socket, "the system gives no socket");
  const sent = library.sendto(descriptor, message, message.length, MSG_NOSIGNAL, to.bytes, to.length);
  closeSync(descriptor);
  if (Number(sent) !== message.length) throw untold(socket, "nobody takes it there");
}

function microseconds(clock: (kind: number, into: BigInt64Array) => number): bigint {
  const now = new BigInt64Array(2);
  clock(CLOCK_MONOTONIC, now);
  const [seconds = 0n, nanoseconds = 0n] = now;
  return seconds * 1_000_000n + nanoseconds / 1_000n;
}

function untold(socket: string, why: string): Failure {
  return new Failure("storage_failed", `NOTIFY_SOCKET ${quoted(socket)} was not written to: ${why}`);
}
