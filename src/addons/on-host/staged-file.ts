import { closeSync, constants, fchmodSync, fstatSync, openSync, readSync, type Stats } from "node:fs";
import type { Sha256 } from "../../base/digest.ts";
import { Hasher } from "../../base/hashing.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode } from "../../host/files.ts";
import type { PublicKey } from "../../trust/public-key.ts";
import { StreamingVerifier } from "../../trust/streaming-verifier.ts";

const CHUNK_BYTES = 1_048_576;

/** The proof that some bytes have to bring: a signature and the keys that may have made it. */
export type SignatureCheck = { readonly signature: Uint8Array; readonly keys: readonly PublicKey[] };

/** What the bytes of a file on this host say for themselves. */
export type StagedBytes = {
  readonly sha256: Sha256;
  /** The key that signed exactly these bytes; null when no signature was asked for or none fits. */
  readonly keyid: string | null;
  readonly wrongMode: boolean;
};

/** What to do about a mode that is not the one it should be; `report_shared` minds only what others may write. */
export type Modes = "put_right" | "report" | "report_shared" | "ignore";

const OTHERS_WRITE = 0o022;

export type OwnFile = {
  readonly descriptor: number;
  readonly size: number;
  /** Only when it is to be reported. */
  readonly wrongMode: boolean;
};

/** Opens a regular file of ours; null when it is not there, or is something else. The caller closes it. */
export function openOwn(path: string, mode: number, modes: Modes): OwnFile | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errorCode(error))) return null;
    throw error;
  }
  try {
    const status = fstatSync(descriptor);
    if (isOurs(status)) {
      const differs = (status.mode & 0o7777) !== mode;
      if (differs && modes === "put_right") fchmodSync(descriptor, mode);
      const isShared = (status.mode & OTHERS_WRITE) !== 0;
      const wrongMode = modes === "report_shared" ? isShared : modes === "report" && differs;
      return { descriptor, size: status.size, wrongMode };
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  return null;
}

/** What belongs to somebody else can be rewritten after we looked. */
function isOurs(status: Stats): boolean {
  const user = process.geteuid?.();
  return status.isFile() && (user === undefined || status.uid === user || status.uid === 0);
}

/** Hashes a file of ours and checks a signature over it, in one pass; null when there is none. */
export async function readStaged(
  path: string,
  mode: number,
  modes: Modes,
  check: SignatureCheck | null,
  stop: AbortSignal,
): Promise<StagedBytes | null> {
  const file = openOwn(path, mode, modes);
  if (file === null) return null;
  try {
    return await readThrough(file, path, check, stop);
  } finally {
    closeSync(file.descriptor);
  }
}

/** The same for a file that is open, from its start. */
export async function readThrough(
  { descriptor, wrongMode }: OwnFile,
  path: string,
  check: SignatureCheck | null,
  stop: AbortSignal,
): Promise<StagedBytes> {
  const hasher = new Hasher();
  const verifier = check === null ? null : new StreamingVerifier(check.keys, check.signature);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let position = 0; ;) {
    await Bun.sleep(0);
    throwIfStopped(stop, `hashing ${quoted(path)}`);
    const count = readSync(descriptor, buffer, 0, buffer.length, position);
    if (count === 0) break;
    position += count;
    const chunk = buffer.subarray(0, count);
    hasher.update(chunk);
    verifier?.update(chunk);
  }
  return { sha256: hasher.digest(), keyid: verifier?.finish()?.keyid ?? null, wrongMode };
}
