import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { statusAt, whyUnwritten, writeAtomic } from "../host/files.ts";

/** Throws Failure `flags_contradict` when `out` is one of the files that it must not replace. */
export function protectFiles(out: string, files: readonly string[]): void {
  for (const path of files) {
    if (isSameFile(out, path))
      throw new Failure("flags_contradict", `--out ${quoted(out)} would replace ${quoted(path)}`, {
        hint: "choose another --out",
      });
  }
}

/**
 * Writes what everybody may read, whole or not at all; an older file is replaced. `name` is what messages call it.
 * Throws Failure `output_not_written`.
 */
export function writePublicOutput(
  out: string,
  content: Uint8Array | string,
  { name = quoted(out), mode = 0o644 }: { readonly name?: string; readonly mode?: number } = {},
): void {
  try {
    writeAtomic(out, content, mode);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("output_not_written", `${name} cannot be written: ${whyUnwritten(error)}`, {
      cause: error,
    });
  }
}

/** Whether two paths lead to one file, under any name: through a link of either kind it would be the same loss. */
export function isSameFile(a: string, b: string): boolean {
  const [first, second] = [statusAt(a), statusAt(b)];
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}
