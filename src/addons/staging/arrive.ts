import { closeSync, constants, fstatSync, openSync, readSync, renameSync } from "node:fs";
import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { Hasher } from "../../base/hashing.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { checkRoom } from "../../host/disk-room.ts";
import { writeAll } from "../../host/files.ts";
import type { Download } from "../../stores/download.ts";
import { Commitments } from "../../trust/commitments.ts";
import { StreamingVerifier } from "../../trust/streaming-verifier.ts";
import { HEAD_BYTES } from "../bundle/executable.ts";
import { wrongSignature } from "./next-step.ts";
import type { SignatureCheck } from "../on-host/staged-file.ts";

/** Bytes between two looks at the room on the disk. */
const ROOM_STEP = 16_777_216;

/** An artifact that is what was assigned, in a file that nobody else sees. */
export type Arrived = {
  /** Open for reading; the reader closes it. */
  readonly descriptor: number;
  readonly size: number;
  /** The first bytes. */
  readonly head: Uint8Array;
  readonly keyid: string | null;
};

/**
 * A download that ends in a file of its own, whose bytes have the assigned digest, with SHA-512(prefix || bytes) for
 * each prefix.
 */
export type Fetch = (
  prefixes: readonly Uint8Array[],
) => Promise<Pick<Download, "sha512"> & { readonly path: string }>;

/**
 * Writes an artifact to `path` while it is hashed and its signature is checked. Returns only when both verdicts are
 * in; throws Failure otherwise. The caller removes the file.
 */
export async function arrive(
  wanted: Sha256,
  bytes: AsyncIterable<Uint8Array> | Fetch,
  path: string,
  check: SignatureCheck | null,
  stop: AbortSignal,
): Promise<Arrived> {
  if (typeof bytes === "function") return fetched(bytes, path, check);
  const hasher = new Hasher();
  const verifier = check === null ? null : new StreamingVerifier(check.keys, check.signature);
  const head = new Uint8Array(HEAD_BYTES);
  let [length, roomUntil] = [0, 0];
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openSync(path, flags, 0o600);
  try {
    for await (const chunk of bytes) {
      throwIfStopped(stop, "fetching an artifact");
      if (length >= roomUntil) {
        // The running add-on and our own journal need the rest of the disk more than this artifact does.
        checkRoom(path, Math.max(chunk.length, ROOM_STEP / 16));
        roomUntil = length + ROOM_STEP;
      }
      hasher.update(chunk);
      verifier?.update(chunk);
      if (length < HEAD_BYTES) head.set(chunk.subarray(0, HEAD_BYTES - length), length);
      length += chunk.length;
      writeAll(descriptor, chunk);
    }
    const found = hasher.digest();
    if (found !== wanted) throw otherBytes(length, found, wanted);
    const key = verifier?.finish() ?? null;
    if (verifier !== null && key === null) throw wrongSignature();
    const size = fstatSync(descriptor).size;
    return {
      descriptor,
      size,
      head: head.subarray(0, Math.min(length, HEAD_BYTES)),
      keyid: key?.keyid ?? null,
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The same for what a store brought: its digest was compared, its signature was not. */
async function fetched(bring: Fetch, path: string, check: SignatureCheck | null): Promise<Arrived> {
  const commitments = check === null ? null : new Commitments(check.keys, check.signature);
  const download = await bring(commitments?.prefixes ?? []);
  renameSync(download.path, path);
  const key = commitments?.signer(download.sha512) ?? null;
  if (commitments !== null && key === null) throw wrongSignature();
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const head = new Uint8Array(HEAD_BYTES);
    const read = readSync(descriptor, head, 0, head.length, 0);
    return {
      descriptor,
      size: fstatSync(descriptor).size,
      head: head.subarray(0, read),
      keyid: key?.keyid ?? null,
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function otherBytes(length: number, found: string, wanted: Sha256): Failure {
  return new Failure("hash_mismatch", `${length} bytes came with sha256 ${found}; assigned is ${wanted}`, {
    hint: "the store holds other bytes than were published, or they changed on the way",
  });
}
