import { readCurrent } from "../on-host/current-link.ts";
import { checkOwnDirectory } from "../on-host/directories.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import type { Wanted } from "../assigned/ask.ts";
import type { Platform } from "../assigned/platform.ts";
import type { Facts, StagedVersion } from "./next-step.ts";
import { readRecord, type AddonRecord } from "../on-host/record.ts";
import { NO_MARK } from "../on-host/signer-mark.ts";
import type { Specs } from "../on-host/spec.ts";
import type { SignatureCheck } from "../on-host/staged-file.ts";
import type { Stated } from "../on-host/stated.ts";
import { stampHolds, type Stamp } from "../on-host/stamp.ts";
import { marksOf, readStamp, writeStamp } from "../on-host/stamp-file.ts";
import { bytesCheck, type ReleaseSigners } from "./release-signers.ts";

export type Trust = Pick<Facts, "allowUnsigned" | "replace" | "now"> & {
  readonly signers: ReleaseSigners;
  readonly platform: Platform;
};

/**
 * Looks at the host for what `nextStep` decides on. With `writes`, modes are put right and what was verified is noted
 * on the way. Throws Failure `unsafe_path` for planted things.
 */
export async function gatherFacts(
  wanted: Wanted,
  paths: AddonPaths,
  specs: Specs,
  trust: Trust,
  writes: boolean,
  stop: AbortSignal,
): Promise<Facts> {
  const { signers, allowUnsigned, replace, now } = trust;
  const stated = await statedOf(wanted, specs, trust);
  const check = bytesCheck(wanted.signature, signers, stated);
  const current = readCurrent(paths);
  const record = current === null ? null : readRecord(paths.record(current));
  const look = (folder: string): Promise<StagedVersion | null> => {
    const known = folder === current ? record : undefined;
    return lookAt(folder, known, wanted, paths, check, writes, stop);
  };
  return {
    allowUnsigned,
    replace,
    now,
    current,
    staged: await look(wanted.folder),
    replacement: wanted.replacementFolder === null ? null : await look(wanted.replacementFolder),
    keys: signers.keys.length,
    threshold: signers.threshold,
    rootVersion: signers.rootVersion,
    signerMark: specs.signer_mark ?? NO_MARK,
    // What another program staged here with a signature counts as well.
    signedBefore: specs.signed || (record?.artifact_signature ?? "") !== "",
    active: specs.active?.artifact_sha256 ?? null,
    highestVersion: specs.highest_version || (record?.version ?? ""),
    blocked: specs.blocked,
    pinned: specs.pinned,
    stated,
    statedBefore: specs.stated,
    minimumVersion: specs.minimum_version,
  };
}

/** A statement that was verified before, with a key that is trusted still, says what it said then. */
async function statedOf(wanted: Wanted, { active }: Specs, trust: Trust): Promise<Stated | null> {
  if (wanted.statement === "") return null;
  const isSame = active?.artifact_sha256 === wanted.sha256 && active.version === wanted.version;
  const known = isSame ? active.stated : undefined;
  const { signers, platform, now } = trust;
  if (known?.envelope === wanted.statement && areTrusted(known.signers, signers)) return known;
  // Loaded when it is needed: most runs find the statement that they know.
  const { verifyStatement } = await import("./verify-statement.ts");
  return verifyStatement(wanted, platform, signers, now);
}

function areTrusted(keyids: readonly string[], { keys, threshold }: ReleaseSigners): boolean {
  const trusted = new Set(keys.map(({ keyid }) => keyid));
  return keyids.length >= threshold && keyids.every((keyid) => trusted.has(keyid));
}

async function lookAt(
  folder: string,
  known: AddonRecord | null | undefined,
  wanted: Wanted,
  paths: AddonPaths,
  check: SignatureCheck | null,
  writes: boolean,
  stop: AbortSignal,
): Promise<StagedVersion | null> {
  if (!checkOwnDirectory(paths.version(folder))) return null;
  const record = known === undefined ? readRecord(paths.record(folder)) : known;
  const recorded =
    record === null ? null : { sha256: record.artifact_sha256, binaryName: record.binary_name };
  // Other bytes by their own record: hashing them would change nothing.
  if (recorded !== null && recorded.sha256 !== wanted.sha256) {
    return { recorded, sha256: null, keyid: null, retained: null };
  }
  const claim = {
    folder,
    artifact_sha256: wanted.sha256,
    artifact_signature: wanted.assignment.artifact_signature,
    binary_name: wanted.binaryName,
  };
  const stamp = readStamp(paths);
  if (stamp !== null && isVerified(stamp, claim, paths, check)) {
    return { recorded, sha256: wanted.sha256, keyid: stamp.keyid, retained: null };
  }
  const taken_ms = Date.now();
  const before = marksOf(paths, folder);
  const { binaryName, sha256 } = wanted;
  const modes = writes ? "put_right" : "ignore";
  // Loaded when it is needed: most runs find everything as it was, and read no bundle.
  const { inspect } = await import("../on-host/installed.ts");
  const found = await inspect(paths, folder, { binaryName, sha256, check, modes, stop });
  const isWhole = found.sha256 === wanted.sha256 && (check === null || found.keyid !== null);
  if (writes && isWhole && before !== null && Bun.deepEquals(before, marksOf(paths, folder))) {
    writeStamp(paths, { ...claim, keyid: found.keyid, taken_ms, files: before });
  }
  return { recorded, sha256: found.sha256, keyid: found.keyid, retained: found.retained };
}

/** Whether all of it was read and verified before, with a key that is trusted still, and has not changed since. */
function isVerified(
  stamp: Stamp,
  claim: Pick<Stamp, "folder" | "artifact_sha256" | "artifact_signature" | "binary_name">,
  paths: AddonPaths,
  check: SignatureCheck | null,
): boolean {
  const trusted = check === null || check.keys.some(({ keyid }) => keyid === stamp.keyid);
  return trusted && stampHolds(stamp, claim, marksOf(paths, claim.folder) ?? []);
}
