import { closeSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { checkRoom } from "../../host/disk-room.ts";
import { randomHex } from "../../host/random.ts";
import { arrive, type Arrived, type Fetch } from "./arrive.ts";
import { bundleFormat, retainedName, type BundleFormat } from "../bundle/bundle-format.ts";
import { giveFileCapabilities } from "./give-capabilities.ts";
import { readExecutable } from "../bundle/executable.ts";
import { Overtaken } from "./overtaken.ts";
import type { AddonPaths, Layout } from "../on-host/layout.ts";
import { makeDurable, publish, retainProgram, type Place, type Prepared } from "./place.ts";
import type { Platform } from "../assigned/platform.ts";
import { writeRecord, type AddonRecord } from "../on-host/record.ts";
import type { SignatureCheck } from "../on-host/staged-file.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import { BINARY_MODE, FILE_MODE, unpackBundle } from "../bundle/unpack.ts";

/** What is to be staged, and the note that is left beside it. */
export type Artifact = {
  readonly sha256: Sha256;
  readonly binaryName: string;
  /** Bytes, when somebody trusted said how many. */
  readonly size: number | null;
  readonly record: AddonRecord;
};

export type Staging = {
  readonly layout: Layout;
  readonly paths: AddonPaths;
  readonly platform: Platform;
  /** Whether `platform` is this machine, so that interpreters can be looked for. */
  readonly isHost: boolean;
  /** null for an artifact without a signature, which a policy let pass. */
  readonly check: SignatureCheck | null;
  /** What the program gets on its file. */
  readonly fileCapabilities: readonly string[];
  readonly stop: AbortSignal;
};

/**
 * Brings an artifact to `versions/<folder>`: it arrives under `tmp/`, is verified, unpacked when it is a bundle, and
 * gets its public name only when every verdict is in and the bytes are on the disk. Returns the id of the key that
 * signed. Throws Failure; nothing is left behind then.
 */
export async function stageArtifact(
  artifact: Artifact,
  place: Place,
  bytes: AsyncIterable<Uint8Array> | Fetch,
  staging: Staging,
): Promise<string | null> {
  const folder = join(staging.layout.tmp, `waybill-${randomHex(8)}`);
  try {
    // Nobody else may even look in while the bytes are unverified.
    mkdirSync(folder, { mode: 0o700 });
    const path = join(folder, "artifact");
    const arrived = await arrive(artifact.sha256, bytes, path, staging.check, staging.stop);
    const prepared = await prepare(arrived, path, folder, artifact, staging);
    writeRecord(join(folder, staging.paths.recordName), artifact.record);
    // Never after its name: somebody could start it without them.
    giveFileCapabilities(join(folder, artifact.binaryName), staging.fileCapabilities);
    publish(prepared, place, staging.paths);
    return arrived.keyid;
  } catch (error) {
    throw error instanceof Overtaken ? error : storageFailure(error, staging.paths.directory);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(
  arrived: Arrived,
  path: string,
  folder: string,
  artifact: Artifact,
  staging: Staging,
): Promise<Prepared> {
  try {
    checkSize(arrived.size, artifact.size);
    const format = bundleFormat(arrived.head);
    return format === null
      ? prepareProgram(arrived, path, folder, artifact, staging)
      : await prepareBundle(arrived, format, path, folder, artifact, staging);
  } finally {
    closeSync(arrived.descriptor);
  }
}

function checkSize(found: number, said: number | null): void {
  if (said === null || found === said) return;
  const message = `the artifact has ${found} bytes; its signed statement says ${said}`;
  throw new Failure("statement_mismatch", message);
}

function prepareProgram(
  { head, size }: Arrived,
  path: string,
  folder: string,
  { binaryName }: Artifact,
  staging: Staging,
): Prepared {
  checkRuns(head, staging);
  renameSync(path, join(folder, binaryName));
  makeDurable(join(folder, binaryName), BINARY_MODE);
  retainProgram(folder, binaryName, size);
  return { folder, binaryName, files: [binaryName], retained: retainedName(null) };
}

async function prepareBundle(
  { descriptor, size }: Arrived,
  format: BundleFormat,
  path: string,
  folder: string,
  { binaryName }: Artifact,
  staging: Staging,
): Promise<Prepared> {
  const retained = retainedName(format);
  renameSync(path, join(folder, retained));
  const bundle = { descriptor, size, format, binaryName };
  const room = (bytes: number): void => checkRoom(folder, bytes);
  const { files, head } = await unpackBundle(bundle, folder, room, staging.stop);
  checkRuns(head, staging);
  makeDurable(join(folder, retained), FILE_MODE);
  return { folder, binaryName, files: files.map(({ name }) => name), retained };
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
