import { existsSync } from "node:fs";
import { asFailure, Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { quoted } from "../../base/printable.ts";
import { ArtifactFile } from "../../trust/artifact-file.ts";
import { parseRawSignature } from "../../trust/signature-text.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { sweep } from "../on-host/directories.ts";
import { inspect, type Installed } from "../on-host/installed.ts";
import { confirmRepair, intendRepair, openSpecs, withoutRepair, writeNoted } from "../on-host/noted-specs.ts";
import type { Warning } from "../warning.ts";
import type { HostAddon, StagedFolder } from "../on-host/inventory.ts";
import type { Layout } from "../on-host/layout.ts";
import type { Platform } from "../assigned/platform.ts";
import type { AddonRecord } from "../on-host/record.ts";
import { strategyFor } from "../staging/give-capabilities.ts";
import { bytesCheck, isProvenByStatement, type ReleaseKeys } from "../staging/release-signers.ts";
import { stageArtifact } from "../staging/stage.ts";
import type { SignatureCheck } from "../on-host/staged-file.ts";
import type { Spec } from "../on-host/spec.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import type { Stated } from "../on-host/stated.ts";
import { verifyStatement } from "../staging/verify-statement.ts";

export type Checking = {
  readonly layout: Layout;
  readonly platform: Platform;
  /** Who may have signed which add-on; null leaves the signatures alone. */
  readonly keys: ReleaseKeys | null;
  readonly now: Date;
  readonly stop: AbortSignal;
  /** Where repairs are noted; null for who makes none. */
  readonly noting: { readonly audit: AuditLog; readonly warn: (warning: Warning) => void } | null;
};

/** What came of one version, or of the add-on itself (`folder` null). */
export type Finding = {
  readonly addonId: string;
  readonly folder: string | null;
  readonly sha256: string | null;
  readonly keyid: string | null;
  /** The distinct trusted keys that signed the bytes, or under a threshold the statement about them. */
  readonly keyids: readonly string[];
  /** null when all is well. */
  readonly failure: Failure | null;
  readonly repaired: boolean;
};

const ANEW =
  "an addon-stage that is assigned the version writes it anew; waybill addon gc removes one that nothing needs";

/** Reads every byte of every version of an add-on and holds it against what was verified. */
export async function checkAddon(addon: HostAddon, checking: Checking): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const staged of addon.folders) findings.push(await checkFolder(addon, staged, checking));
  for (const { message } of addon.warnings) {
    const hint = "the next addon-stage writes them anew; what they knew of earlier versions is gone then";
    findings.push(broken(addon, null, new Failure("record_mismatch", message, { hint })));
  }
  const { specs, current } = addon;
  const shown = specs.active?.folder ?? null;
  if (shown !== null && current !== shown) {
    findings.push(
      broken(
        addon,
        null,
        new Failure(
          "record_mismatch",
          `current shows ${quoted(current ?? "nothing")}; wanted ${quoted(shown)}`,
          { hint: "the next addon-stage puts it right" },
        ),
      ),
    );
  }
  if (current !== null && !existsSync(addon.paths.version(current))) {
    findings.push(
      broken(
        addon,
        null,
        new Failure("binary_missing", `current names ${quoted(current)}, which is not there`, {
          hint: "the next addon-stage puts it right",
        }),
      ),
    );
  }
  return findings;
}

async function checkFolder(
  addon: HostAddon,
  { folder, record }: StagedFolder,
  checking: Checking,
): Promise<Finding> {
  // The spec is our own and nobody else may read it; the record is for every reader.
  const { active, last_known_good: good, history } = addon.specs;
  const spec = [active, good, ...history].find((one) => one?.folder === folder);
  if (record === null) {
    return broken(
      addon,
      folder,
      new Failure("record_mismatch", `version ${quoted(folder)} has no readable record`, { hint: ANEW }),
    );
  }
  const noted =
    spec === undefined || spec === null ? record : { ...record, artifact_sha256: spec.artifact_sha256 };
  if (noted.artifact_sha256 !== record.artifact_sha256) {
    return broken(
      addon,
      folder,
      new Failure(
        "record_mismatch",
        `the record of version ${quoted(folder)} names another artifact than was verified`,
        { hint: `look at it and remove it; then ${ANEW}` },
      ),
    );
  }
  try {
    // What a killed repair left beside the specs.
    if (checking.noting !== null) sweep(addon.paths.directory, "temporary_files");
    const proof = proofOf(addon.id, record, spec ?? null, checking);
    const { check } = proof;
    const found = await inspect(addon.paths, folder, {
      binaryName: record.binary_name,
      sha256: record.artifact_sha256,
      check,
      modes: checking.noting === null ? "report" : "put_right",
      withKept: true,
      stop: checking.stop,
    });
    const failure = judge(folder, record, found, check) ?? proof.failure;
    const keyids = proof.stated?.signers ?? (found.keyid === null ? [] : [found.keyid]);
    const keyid = proof.stated?.keyid ?? found.keyid;
    const well = { addonId: addon.id, folder, sha256: record.artifact_sha256, keyid, keyids };
    if (failure === null) confirm(addon, record, checking);
    if (found.retained === null || failure?.code !== "hash_mismatch" || checking.noting === null) {
      return { ...well, failure, repaired: false };
    }
    await makeWhole(addon, folder, record, found.retained, check, checking, checking.noting);
    return { ...well, failure: null, repaired: true };
  } catch (error) {
    throwIfStopped(checking.stop, `checking add-on ${quoted(addon.id)}`);
    return broken(addon, folder, storageFailure(error, addon.paths.version(folder)));
  }
}

/** What has to prove the bytes: their signature, or where several keys must have signed, the statement of the spec. */
type SignedProof = {
  readonly check: SignatureCheck | null;
  readonly stated: Stated | null;
  /** What is wrong with the statement; null when it is good, or not what counts. */
  readonly failure: Failure | null;
};

function proofOf(
  id: HostAddon["id"],
  record: AddonRecord,
  spec: Spec | null,
  { keys, platform, now }: Checking,
): SignedProof {
  const { artifact_sha256: sha256, version, artifact_signature: text = "" } = record;
  if (keys === null) return { check: null, stated: null, failure: null };
  const signers = keys({ id, sha256 });
  const signature = text === "" ? null : parseRawSignature(text, "artifact_signature");
  if (signers.threshold === 1)
    return { check: bytesCheck(signature, signers, null), stated: null, failure: null };
  try {
    const statement = spec?.stated?.envelope ?? "";
    const stated = verifyStatement({ id, version, sha256, statement }, platform, signers, now);
    if (isProvenByStatement(signers.threshold, stated)) return { check: null, stated, failure: null };
    throw new Failure(
      "threshold_not_met",
      `version ${quoted(version)} came with no statement that ${signers.threshold} keys signed`,
    );
  } catch (error) {
    return { check: null, stated: null, failure: asFailure(error) };
  }
}

function judge(
  folder: string,
  record: AddonRecord,
  found: Installed,
  check: SignatureCheck | null,
): Failure | null {
  if (found.sha256 !== record.artifact_sha256) {
    const hint =
      found.retained === null
        ? "the next addon-stage fetches it again"
        : "make it whole from the kept artifact with: waybill addon fsck --repair";
    return new Failure(
      "hash_mismatch",
      `version ${quoted(folder)} is not what was verified: ${found.damage.slice(0, 5).join("; ")}`,
      { hint },
    );
  }
  if (check === null || found.keyid !== null) return null;
  return new Failure("signature_invalid", `version ${quoted(folder)} was not signed by a key that counts`);
}

/** The same way in as for fetched bytes: hashed, verified, unpacked, made durable, and put in place file by file. */
async function makeWhole(
  addon: HostAddon,
  folder: string,
  record: AddonRecord,
  retained: string,
  check: SignatureCheck | null,
  { layout, platform, stop }: Checking,
  noting: NonNullable<Checking["noting"]>,
): Promise<void> {
  const file = new ArtifactFile(retained);
  try {
    const { version, artifact_sha256: sha256 } = record;
    const event = { addon_id: addon.id, version, sha256 };
    const { specs: before } = openSpecs(addon.paths, noting.audit);
    const specs = intendRepair(addon.paths, before, event, noting.audit);
    const artifact = { sha256: record.artifact_sha256, binaryName: record.binary_name, size: null, record };
    const { active, last_known_good: good, history } = addon.specs;
    const spec = [active, good, ...history].find((one) => one?.folder === folder) ?? null;
    const fileCapabilities = spec === null ? [] : strategyFor(spec, layout, true).onFile;
    const staging = { layout, paths: addon.paths, platform, isHost: false, check, fileCapabilities, stop };
    await stageArtifact(artifact, { folder, how: "repair" }, file.chunks(stop), staging);
    const done = { ...event, event: "repaired" };
    const after = withoutRepair(specs, sha256);
    for (const warning of writeNoted(addon.paths, specs, after, [done], noting.audit).warnings)
      noting.warn(warning);
  } finally {
    file.close();
  }
}

/** A repair that a killed run made is told of now. */
function confirm({ paths }: HostAddon, { artifact_sha256: sha256 }: AddonRecord, { noting }: Checking): void {
  if (noting === null) return;
  const { specs } = openSpecs(paths, noting.audit);
  for (const warning of confirmRepair(paths, specs, sha256, noting.audit).warnings) noting.warn(warning);
}

function broken(addon: HostAddon, folder: string | null, failure: Failure): Finding {
  return { addonId: addon.id, folder, sha256: null, keyid: null, keyids: [], failure, repaired: false };
}
