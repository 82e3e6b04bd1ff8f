import { dlopen, type ConvertFns, type FFIFunction } from "bun:ffi";
import { Failure } from "../base/failure.ts";

const NAMES: Readonly<Record<string, readonly string[]>> = {
  // glibc, then musl under both of its usual names.
  linux: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"],
  darwin: ["libSystem.B.dylib"],
};

/**
 * Functions of the C library that this process runs on anyway, for the few calls that the runtime has not. Throws
 * Failure `unsupported_platform`, which begins with `otherwise`.
 */
export function cLibrary<const Fns extends Record<string, FFIFunction>>(
  functions: Fns,
  otherwise: string,
): ConvertFns<Fns> {
  for (const name of NAMES[process.platform] ?? []) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // Another C library; the next name.
    }
  }
  throw new Failure("unsupported_platform", `${otherwise} on ${process.platform}`, {
    hint: "run this command on Linux",
  });
}
