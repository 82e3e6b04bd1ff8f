import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { printable, quoted } from "../../base/printable.ts";
import type { Wanted } from "../assigned/ask.ts";
import { isSafeName } from "../names.ts";
import { checkOwnDirectory } from "../on-host/directories.ts";
import { fallBack, type Fallback, type Noting } from "../on-host/last-known-good.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import { openSpecs } from "../on-host/noted-specs.ts";
import { signersOf, type Spec, type Specs } from "../on-host/spec.ts";
import type { Warning } from "../warning.ts";
import type { AddonResult } from "./outcome.ts";
import type { Run } from "./run.ts";

/** What is there stays; null when its bytes are not what was verified any more. */
export async function hold(
  warnings: readonly Warning[],
  wanted: Wanted,
  paths: AddonPaths,
  specs: Specs,
  run: Run,
): Promise<AddonResult | null> {
  for (const warning of warnings) run.warn(warning);
  const noting = notingOf(run, wanted.id, wanted.version, "binary_missing");
  const fallback = await fallBack(paths, specs, run.stop, noting);
  if (fallback.kind !== "kept") return null;
  const spec = inPlace(fallback.spec, paths);
  return { ...spec, wantedVersion: wanted.version, outcome: "unchanged", action: "hold", failure: null };
}

/** Whether what an operator pinned is not what goes on; one who went back from it since wanted something else. */
export function isPinnedGone({ sha256 }: AddonResult, { pinned, blocked }: Specs): boolean {
  const wanted = pinned?.artifact_sha256 ?? null;
  return wanted !== null && wanted !== sha256 && !blocked.includes(wanted);
}

export function pinnedIsGone(wanted: Wanted): Failure {
  return new Failure(
    "binary_missing",
    `what add-on ${quoted(wanted.id)} is pinned to is not there any more`,
    {
      hint: `take what is assigned with: waybill addon unpin ${wanted.id}`,
    },
  );
}

/** After a failure: what worked goes on, if it still is what was verified. */
export async function keepGoing(
  id: string,
  version: string,
  failure: Failure,
  run: Run,
): Promise<AddonResult> {
  const failed = { ...nothingInPlace(id, version), failure };
  if (!isSafeName(id)) return failed;
  const paths = run.layout.addon(id);
  const fallback = await tryFallBack(paths, run, notingOf(run, id, version, failure.code));
  if (fallback.kind === "kept") {
    const action = fallback.restored ? "restore" : "keep";
    return {
      ...inPlace(fallback.spec, paths),
      wantedVersion: version,
      outcome: "kept_last_known_good",
      action,
      failure,
    };
  }
  if (!fallback.withdrawn) return failed;
  return {
    ...failed,
    action: "withdraw",
    failure: new Failure(
      "hash_mismatch",
      `what was staged is not what was verified, and cannot be replaced: ${failure.message}`,
      { hint: `${quoted(paths.current)} was removed, so that nobody runs it`, cause: failure },
    ),
  };
}

/** What was refused may be of any length, and a line of the log may not. */
function notingOf({ audit, warn }: Run, addonId: string, version: string, detail: string): Noting {
  return { audit, addonId, version: printable(version, 140), detail, warn };
}

async function tryFallBack(paths: AddonPaths, run: Run, noting: Noting): Promise<Fallback> {
  try {
    if (!checkOwnDirectory(paths.directory) || !checkOwnDirectory(paths.versions)) {
      return { kind: "nothing", withdrawn: false };
    }
    const { specs, warnings } = openSpecs(paths, run.audit);
    for (const warning of warnings) run.warn(warning);
    return await fallBack(paths, specs, run.stop, noting);
  } catch {
    throwIfStopped(run.stop, `looking for what add-on ${quoted(paths.directory)} ran before`);
    // The first failure is the one to tell; this one has the same cause, or tells of a broken disk.
    return { kind: "nothing", withdrawn: false };
  }
}

export function inPlace(
  spec: Spec,
  paths: AddonPaths,
): Pick<AddonResult, "addonId" | "version" | "binaryPath" | "sha256" | "keyid" | "keyids"> {
  return {
    addonId: spec.addon_id,
    version: spec.version,
    binaryPath: paths.binary(spec.folder, spec.binary_name),
    sha256: spec.artifact_sha256,
    keyid: spec.keyid ?? null,
    keyids: signersOf(spec),
  };
}

export function nothingInPlace(addonId: string, version: string): AddonResult {
  return {
    addonId,
    version,
    wantedVersion: version,
    outcome: "skipped",
    action: "none",
    binaryPath: null,
    sha256: null,
    keyid: null,
    keyids: [],
    failure: null,
  };
}
