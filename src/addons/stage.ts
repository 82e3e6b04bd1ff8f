import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { asFailure, Failure } from "../base/failure.ts";
import { Hasher } from "../base/hashing.ts";
import { quoted } from "../base/printable.ts";
import { errorCode, fsyncDirectory, reason, writeAll } from "../host/files.ts";
import { StreamingVerifier } from "../trust/streaming-verifier.ts";
import { ownDirectory, sweep } from "./directories.ts";
import { HEAD_BYTES, readExecutable } from "./executable.ts";
import type { AddonPaths, Layout } from "./layout.ts";
import type { Wanted } from "./ask.ts";
import { wrongSignature } from "./next-step.ts";
import type { Platform } from "./platform.ts";
import { notedKey, writeRecord, type AddonRecord } from "./record.ts";
import { BINARY_MODE, type SignatureCheck } from "./staged-file.ts";

type Place = { readonly folder: string; readonly how: "new" | "replace" | "repair" };

export type Staging = {
  readonly layout: Layout;
  readonly paths: AddonPaths;
  readonly platform: Platform;
  /** Whether `platform` is this machine, so that interpreters can be looked for. */
  readonly isHost: boolean;
  /** null for an artifact without a signature, which a policy let pass. */
  readonly check: SignatureCheck | null;
};

/**
 * Brings an artifact to `versions/<folder>`: it grows under `tmp/` while it is hashed and its signature is checked,
 * and gets its public name only when every verdict is in and the bytes are on the disk. Returns the id of the key
 * that signed. Throws Failure; nothing is left behind then.
 */
export async function stageArtifact(
  wanted: Wanted,
  place: Place,
  chunks: AsyncIterable<Uint8Array>,
  staging: Staging,
): Promise<string | null> {
  const folder = join(staging.layout.tmp, `waybill-${randomBytes(8).toString("hex")}`);
  try {
    // Nobody else may even look in while the bytes are unverified.
    mkdirSync(folder, { mode: 0o700 });
    const keyid = await download(join(folder, wanted.binaryName), wanted, chunks, staging);
    writeRecord(join(folder, staging.paths.recordName), recordOf(wanted));
    publish(folder, place, wanted, staging.paths);
    return keyid;
  } catch (error) {
    throw storageFailure(error, staging.paths);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function download(
  path: string,
  wanted: Wanted,
  chunks: AsyncIterable<Uint8Array>,
  staging: Staging,
): Promise<string | null> {
  const { check } = staging;
  const hasher = new Hasher();
  const verifier = check === null ? null : new StreamingVerifier(check.keys, check.signature);
  const head = new Uint8Array(HEAD_BYTES);
  let length = 0;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openSync(path, flags, 0o600);
  try {
    for await (const chunk of chunks) {
      hasher.update(chunk);
      verifier?.update(chunk);
      if (length < HEAD_BYTES) head.set(chunk.subarray(0, HEAD_BYTES - length), length);
      length += chunk.length;
      writeAll(descriptor, chunk);
    }
    const found = hasher.digest();
    if (found !== wanted.sha256) {
      throw new Failure(
        "hash_mismatch",
        `${length} bytes came with sha256 ${found}; assigned is ${wanted.sha256}`,
        {
          hint: "the store holds other bytes than were published, or they changed on the way",
        },
      );
    }
    const key = verifier?.finish() ?? null;
    if (verifier !== null && key === null) throw wrongSignature();
    checkRuns(head.subarray(0, Math.min(length, HEAD_BYTES)), staging);
    fchmodSync(descriptor, BINARY_MODE);
    fsyncSync(descriptor);
    return key?.keyid ?? null;
  } finally {
    closeSync(descriptor);
  }
}

function checkRuns(head: Uint8Array, { platform, isHost }: Staging): void {
  const executable = readExecutable(head, platform);
  if (!executable.runs) {
    throw new Failure("platform_unsupported", `the artifact does not run here: ${executable.why}`, {
      hint: "publish the artifact of this platform under its os/arch",
    });
  }
  const { interpreter } = executable;
  if (!isHost || interpreter === null || existsSync(interpreter)) return;
  throw new Failure(
    "platform_unsupported",
    `the artifact wants ${quoted(interpreter)}, which this host has not`,
    {
      hint: "a script wants its interpreter; a program built for glibc or musl wants that loader",
    },
  );
}

function recordOf(wanted: Wanted): AddonRecord {
  return {
    addon_id: wanted.id,
    version: wanted.version,
    binary_name: wanted.binaryName,
    artifact_object_key: notedKey(wanted.objectKey),
    artifact_sha256: wanted.sha256,
    ...(wanted.signature === null ? {} : { artifact_signature: wanted.assignment.artifact_signature }),
  };
}

/** Everything below is on the disk before the name that makes it visible. */
function publish(from: string, place: Place, wanted: Wanted, paths: AddonPaths): void {
  const to = paths.version(place.folder);
  if (place.how !== "repair") {
    ownDirectory(paths.directory);
    ownDirectory(paths.versions);
    chmodSync(from, 0o755);
    fsyncDirectory(from);
    renameSync(from, to);
    fsyncDirectory(paths.versions);
    return;
  }
  // File by file, so that the folder that `current` names is there at every moment. The binary comes first: its
  // digest is the one that the record has, or will have.
  sweep(to, "temporary_files");
  renameSync(join(from, wanted.binaryName), paths.binary(place.folder, wanted.binaryName));
  fsyncDirectory(to);
  renameSync(join(from, paths.recordName), paths.record(place.folder));
  fsyncDirectory(to);
}

/** A record for bytes that were found in place without one. */
export function recordInPlace(wanted: Wanted, folder: string, paths: AddonPaths): void {
  writeRecord(paths.record(folder), recordOf(wanted));
}

/** What the system refused, as a Failure; anything else as it is. */
export function storageFailure(error: unknown, paths: AddonPaths): Failure {
  if (error instanceof Failure || errorCode(error) === "") return asFailure(error);
  return new Failure("storage_failed", `${quoted(paths.directory)} cannot be written: ${reason(error)}`, {
    cause: error,
    hint: "what was staged before stays in place",
  });
}
