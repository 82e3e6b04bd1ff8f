import { statSync } from "node:fs";
import { toBase64, toHex } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import { reason, writeAtomic } from "../host/files.ts";
import { signFile, type FileSignature } from "./signer.ts";
import type { SigningKey } from "./signing-key.ts";

export type Encoding = "base64" | "hex" | "binary";

export function isEncoding(text: string): text is Encoding {
  return text === "base64" || text === "hex" || text === "binary";
}

export type SignatureOrder = {
  readonly file: string;
  readonly out: string;
  readonly encoding: Encoding;
  /** Files that the signature must not replace, besides the signed one. */
  readonly protectedFiles: readonly string[];
};

/** Signs a file and writes the raw signature beside it, whole or not at all. An older signature is replaced. */
export async function signToFile(
  key: SigningKey,
  order: SignatureOrder,
  stop: AbortSignal,
): Promise<FileSignature> {
  for (const path of [order.file, ...order.protectedFiles]) {
    if (isSameFile(order.out, path))
      throw new Failure("flags_contradict", `--out ${quoted(order.out)} would replace ${quoted(path)}`, {
        hint: "choose another --out",
      });
  }
  const made = await signFile(key, order.file, stop);
  try {
    writeAtomic(order.out, encode(made.signature, order.encoding), 0o644);
  } catch (error) {
    throw new Failure("output_not_written", `${quoted(order.out)} cannot be written: ${reason(error)}`, {
      cause: error,
    });
  }
  return made;
}

function encode(signature: Uint8Array, encoding: Encoding): Uint8Array | string {
  if (encoding === "binary") return signature;
  return `${encoding === "hex" ? toHex(signature) : toBase64(signature)}\n`;
}

/** Under any name: through a link of either kind it would be the same loss. */
function isSameFile(a: string, b: string): boolean {
  const [first, second] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}
