import { FFIType } from "bun:ffi";
import { closeSync, constants, fsyncSync, openSync, readFileSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { cLibrary } from "./c-library.ts";

const ATTRIBUTE = "security.capability";
/** As in linux/capability.h. */
const NUMBERS: Readonly<Record<string, number>> = {
  cap_dac_read_search: 2,
  cap_net_bind_service: 10,
  cap_net_admin: 12,
  cap_net_raw: 13,
  cap_perfmon: 38,
  cap_bpf: 39,
};
/** VFS_CAP_REVISION_2, and the flag that makes them effective when the program starts. */
const REVISION = 0x02000000;
const EFFECTIVE = 1;

type Calls = {
  readonly setxattr: (
    path: Uint8Array,
    name: Uint8Array,
    value: Uint8Array,
    size: number,
    flags: number,
  ) => number;
  readonly getxattr: (path: Uint8Array, name: Uint8Array, value: Uint8Array, size: number) => number | bigint;
  readonly removexattr: (path: Uint8Array, name: Uint8Array) => number;
};

let loaded: Calls | undefined;

function calls(): Calls {
  const { ptr, u64, i32, i64 } = FFIType;
  loaded ??= cLibrary(
    {
      setxattr: { args: [ptr, ptr, ptr, u64, i32], returns: i32 },
      getxattr: { args: [ptr, ptr, ptr, u64], returns: i64 },
      removexattr: { args: [ptr, ptr], returns: i32 },
    },
    "capabilities of files are not available",
  );
  return loaded;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\u0000`);
}

/** The capabilities that a program has on its file, sorted; null for ones that we would not give. */
export function fileCapabilities(path: string): string[] | null {
  const value = new Uint8Array(64);
  const length = Number(calls().getxattr(text(path), text(ATTRIBUTE), value, value.length));
  if (length <= 0) return [];
  const view = new DataView(value.buffer, 0, length);
  // A third revision, with the user namespace that it was made in, is as long as one number more.
  if (length < 20 || (view.getUint32(0, true) & EFFECTIVE) === 0) return null;
  const known = Object.entries(NUMBERS).filter(([, number]) => has(view, number));
  return bits(view) === known.length ? known.map(([name]) => name).toSorted() : null;
}

function has(view: DataView, number: number): boolean {
  const word = view.getUint32(number < 32 ? 4 : 12, true);
  return ((word >>> (number % 32)) & 1) === 1;
}

/** How many are set in all four words: one that is only inheritable is one too many as well. */
function bits(view: DataView): number {
  return [4, 8, 12, 16].reduce(
    (sum, at) => sum + view.getUint32(at, true).toString(2).replaceAll("0", "").length,
    0,
  );
}

/**
 * Gives a file exactly these capabilities, durably, and reads them back. Whatever is written to it later takes them
 * away again. Throws Failure `capability_unavailable`.
 */
export function setFileCapabilities(path: string, names: readonly string[]): void {
  const wanted = [...names].toSorted();
  if (Bun.deepEquals(fileCapabilities(path), wanted)) return;
  if (wanted.length === 0) calls().removexattr(text(path), text(ATTRIBUTE));
  else {
    const value = encoded(wanted);
    calls().setxattr(text(path), text(ATTRIBUTE), value, value.length, 0);
  }
  fsync(path);
  if (Bun.deepEquals(fileCapabilities(path), wanted)) return;
  throw new Failure(
    "capability_unavailable",
    `${quoted(path)} does not take capabilities (${wanted.join(", ")})`,
    {
      hint: "it wants root with CAP_SETFCAP, and a file system with extended attributes",
    },
  );
}

function encoded(names: readonly string[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  view.setUint32(0, REVISION | EFFECTIVE, true);
  for (const name of names) {
    const number = NUMBERS[name];
    if (number === undefined)
      throw new Failure("capability_unsafe", `${quoted(name, 60)} is no capability of an add-on`);
    const at = number < 32 ? 4 : 12;
    view.setUint32(at, (view.getUint32(at, true) | (1 << (number % 32))) >>> 0, true);
  }
  return new Uint8Array(view.buffer);
}

function fsync(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether this process, and whatever it starts, may never gain privileges (PR_SET_NO_NEW_PRIVS). */
export function hasNoNewPrivileges(): boolean {
  return /^NoNewPrivs:\s*1$/mu.test(read("/proc/self/status"));
}

/** Whether the file system that holds `path`, an absolute one without links, is mounted nosuid. */
export function isMountedNoSuid(path: string): boolean {
  // Later lines are mounted over earlier ones.
  const found = read("/proc/self/mountinfo")
    .split("\n")
    .reduce(
      (best, line) => {
        const [, , , , point = "", options = ""] = line.split(" ");
        const place = point.replaceAll("\\040", " ");
        const holds = place === "/" || path === place || path.startsWith(`${place}/`);
        return holds && place.length >= best.place.length ? { place, options } : best;
      },
      { place: "", options: "" },
    );
  return found.options.split(",").includes("nosuid");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
