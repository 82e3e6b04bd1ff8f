import { closeSync, constants, fchmodSync, fstatSync, openSync, readSync } from "node:fs";
import type { Sha256 } from "../base/digest.ts";
import { Hasher } from "../base/hashing.ts";
import { throwIfStopped } from "../base/interruption.ts";
import { errorCode } from "../host/files.ts";
import type { PublicKey } from "../trust/public-key.ts";
import { StreamingVerifier } from "../trust/streaming-verifier.ts";

const CHUNK_BYTES = 1_048_576;
export const BINARY_MODE = 0o755;

/** The proof that some bytes have to bring: a signature and the keys that may have made it. */
export type SignatureCheck = { readonly signature: Uint8Array; readonly keys: readonly PublicKey[] };

/** What the bytes of an executable on this host say for themselves. */
export type StagedBytes = {
  readonly sha256: Sha256;
  /** The key that signed exactly these bytes; null when no signature was asked for or none fits. */
  readonly keyid: string | null;
};

/**
 * Hashes an executable on this host and checks a signature over it, in one pass. null when it is not there, or is
 * something else than a regular file of ours. Its mode is put right on the way.
 */
export async function readStaged(
  path: string,
  check: SignatureCheck | null,
  stop: AbortSignal,
): Promise<StagedBytes | null> {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errorCode(error))) return null;
    throw error;
  }
  try {
    const status = fstatSync(descriptor);
    const user = process.geteuid?.();
    // What belongs to somebody else can be rewritten after we looked.
    if (!status.isFile() || (user !== undefined && status.uid !== user && status.uid !== 0)) return null;
    if ((status.mode & 0o7777) !== BINARY_MODE) fchmodSync(descriptor, BINARY_MODE);
    return await readThrough(descriptor, path, check, stop);
  } finally {
    closeSync(descriptor);
  }
}

async function readThrough(
  descriptor: number,
  path: string,
  check: SignatureCheck | null,
  stop: AbortSignal,
): Promise<StagedBytes> {
  const hasher = new Hasher();
  const verifier = check === null ? null : new StreamingVerifier(check.keys, check.signature);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    await Bun.sleep(0);
    throwIfStopped(stop, `hashing ${path}`);
    const count = readSync(descriptor, buffer, 0, buffer.length, null);
    if (count === 0) break;
    const chunk = buffer.subarray(0, count);
    hasher.update(chunk);
    verifier?.update(chunk);
  }
  return { sha256: hasher.digest(), keyid: verifier?.finish()?.keyid ?? null };
}
