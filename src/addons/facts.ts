import type { PublicKey } from "../trust/public-key.ts";
import { readCurrent } from "./current-link.ts";
import { checkOwnDirectory } from "./directories.ts";
import type { AddonPaths } from "./layout.ts";
import type { Wanted } from "./ask.ts";
import type { Facts, StagedVersion } from "./next-step.ts";
import { readRecord } from "./record.ts";
import type { Specs } from "./spec.ts";
import { readStaged } from "./staged-file.ts";

type Trust = Pick<Facts, "allowUnsigned" | "replace"> & { readonly trustedKeys: readonly PublicKey[] };

/** Looks at the host for what `nextStep` decides on. Throws Failure `unsafe_path` for planted things. */
export async function gatherFacts(
  wanted: Wanted,
  paths: AddonPaths,
  specs: Specs,
  trust: Trust,
  stop: AbortSignal,
): Promise<Facts> {
  const { trustedKeys, ...policy } = trust;
  const current = readCurrent(paths);
  const staged = await lookAt(wanted.folder, wanted, paths, trustedKeys, stop);
  const replacement =
    wanted.replacementFolder === null
      ? null
      : await lookAt(wanted.replacementFolder, wanted, paths, trustedKeys, stop);
  const recordedSignature =
    current === null ? undefined : readRecord(paths.record(current))?.artifact_signature;
  return {
    ...policy,
    current,
    staged,
    replacement,
    keys: trustedKeys.length,
    // What another program staged here with a signature counts as well.
    signedBefore: specs.signed || (recordedSignature ?? "") !== "",
  };
}

async function lookAt(
  folder: string,
  wanted: Wanted,
  paths: AddonPaths,
  keys: readonly PublicKey[],
  stop: AbortSignal,
): Promise<StagedVersion | null> {
  const path = paths.version(folder);
  if (!checkOwnDirectory(path)) return null;
  const record = readRecord(paths.record(folder));
  const recorded =
    record === null ? null : { sha256: record.artifact_sha256, binaryName: record.binary_name };
  // Other bytes by their own record: hashing them would change nothing.
  if (recorded !== null && recorded.sha256 !== wanted.sha256) return { recorded, sha256: null, keyid: null };
  const check = wanted.signature === null ? null : { signature: wanted.signature, keys };
  const bytes = await readStaged(paths.binary(folder, wanted.binaryName), check, stop);
  return { recorded, sha256: bytes?.sha256 ?? null, keyid: bytes?.keyid ?? null };
}
