import { FFIType } from "bun:ffi";
import { chmodSync, closeSync, readSync, rmSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { cLibrary } from "./c-library.ts";
import { AF_UNIX, DATAGRAMS, unixAddress } from "./unix-address.ts";

const SOCK_NONBLOCK = 0o4000;
const MESSAGES_AT_ONCE = 64;

/** A socket that a program writes its state to, as sd_notify(3) does. The runtime has no such sockets. */
export class NotifySocket implements Disposable {
  readonly path: string;
  readonly #descriptor: number;

  /** Takes the place of one that an earlier process left. Throws Failure `storage_failed`. */
  constructor(path: string) {
    const address = unixAddress(path);
    if (address === null) throw failed(path, "its path is too long for one");
    const { socket, bind } = cLibrary(
      {
        socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
        bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
      },
      "notify sockets are not available",
    );
    rmSync(path, { force: true });
    this.path = path;
    this.#descriptor = socket(AF_UNIX, DATAGRAMS | SOCK_NONBLOCK, 0);
    if (this.#descriptor < 0) throw failed(path, "the system gives no socket");
    if (bind(this.#descriptor, address.bytes, address.length) !== 0) {
      closeSync(this.#descriptor);
      throw failed(path, "it cannot be made there");
    }
    chmodSync(path, 0o600);
  }

  /** What came since the last time: the lines of all messages. */
  read(): string[] {
    const lines: string[] = [];
    const buffer = new Uint8Array(4_096);
    for (let count = 0; count < MESSAGES_AT_ONCE; count++) {
      try {
        const length = readSync(this.#descriptor, buffer, 0, buffer.length, null);
        lines.push(...new TextDecoder().decode(buffer.subarray(0, length)).split("\n"));
      } catch {
        // Nothing more for now.
        break;
      }
    }
    return lines;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    rmSync(this.path, { force: true });
  }
}

function failed(path: string, why: string): Failure {
  return new Failure("storage_failed", `the notify socket ${quoted(path)} was not made: ${why}`);
}
