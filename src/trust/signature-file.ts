import { statSync } from "node:fs";
import { toBase64, toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { reason, writeAtomic } from "../host/files.ts";

export type Encoding = "base64" | "hex" | "binary";

export function isEncoding(text: string): text is Encoding {
  return text === "base64" || text === "hex" || text === "binary";
}

/** A raw signature as it stands in its file. */
export function encodeRawSignature(signature: Uint8Array, encoding: Encoding): Uint8Array | string {
  if (encoding === "binary") return signature;
  return `${encoding === "hex" ? toHex(signature) : toBase64(signature)}\n`;
}

/** Throws Failure `flags_contradict` when `out` is one of the files that it must not replace. */
export function protectFiles(out: string, files: readonly string[]): void {
  for (const path of files) {
    if (isSameFile(out, path))
      throw new Failure("flags_contradict", `--out ${quoted(out)} would replace ${quoted(path)}`, {
        hint: "choose another --out",
      });
  }
}

/** Writes a signature, or a list of keys, whole or not at all; an older file is replaced. Throws Failure `output_not_written`. */
export function writePublicOutput(out: string, content: Uint8Array | string): void {
  try {
    writeAtomic(out, content, 0o644);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("output_not_written", `${quoted(out)} cannot be written: ${reason(error)}`, {
      cause: error,
    });
  }
}

/** Under any name: through a link of either kind it would be the same loss. */
function isSameFile(a: string, b: string): boolean {
  const [first, second] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}
