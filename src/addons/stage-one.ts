import { accessSync, constants, statSync } from "node:fs";
import { Failure } from "../base/failure.ts";
import { throwIfStopped } from "../base/interruption.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { reason } from "../host/files.ts";
import type { ObjectRead } from "../stores/store.ts";
import type { PublicKey } from "../trust/public-key.ts";
import type { Assignment } from "./assignment.ts";
import { switchCurrent } from "./current-link.ts";
import { checkOwnDirectory, sweep } from "./directories.ts";
import { gatherFacts } from "./facts.ts";
import { fallBack, readSpecs, writeSpecs, type Fallback } from "./last-known-good.ts";
import type { AddonPaths, Layout } from "./layout.ts";
import { isSafeName } from "./names.ts";
import { askOf, type Wanted } from "./ask.ts";
import { nextStep, type NextStep } from "./next-step.ts";
import type { Action, AddonResult, Outcome } from "./outcome.ts";
import type { Platform } from "./platform.ts";
import { advance, sameSpec, specOf, type Spec, type Specs } from "./spec.ts";
import { recordInPlace, stageArtifact, storageFailure } from "./stage.ts";
import type { Warning } from "./warning.ts";

/** What a run knows besides the assignments. */
export type Run = {
  readonly layout: Layout;
  readonly platform: Platform;
  /** Whether `platform` is this machine. */
  readonly isHost: boolean;
  readonly keys: readonly PublicKey[];
  readonly allowUnsigned: ReadonlySet<string>;
  readonly replace: boolean;
  /** Opens what an `artifact_object_key` names. */
  readonly open: (read: ObjectRead) => Promise<AsyncIterable<Uint8Array>>;
  readonly stop: AbortSignal;
  readonly warn: (warning: Warning) => void;
};

/** Milliseconds for one download, as in the original. */
const DOWNLOAD_MS = 300_000;

/** Brings the host to one assignment. Throws only the interruption: a failure is a result, with what goes on. */
export async function stageOne(assignment: Assignment, run: Run): Promise<AddonResult> {
  const ask = askOf(assignment, run.platform, run.layout);
  const plain = (outcome: Outcome, failure: Failure | null = null): AddonResult => ({
    ...nothingInPlace(assignment.addon_id, assignment.version),
    outcome,
    failure,
  });
  if (ask.kind === "artifact") return bringOrKeep(ask.wanted, run);
  if (ask.kind === "disabled" || ask.kind === "acknowledged") return plain(ask.kind);
  if (ask.kind === "compiled_in") return plain("skipped");
  if (ask.kind === "unsupported") return plain("unsupported", ask.failure);
  const refuse = (failure: Failure): Promise<AddonResult> =>
    keepGoing(assignment.addon_id, assignment.version, failure, run);
  if (ask.kind === "refuse") return refuse(ask.failure);
  const problem = hostBinaryProblem(ask.path);
  if (problem !== null) return refuse(problem);
  return { ...plain("skipped"), action: "use_host_binary", binaryPath: ask.path };
}

async function bringOrKeep(wanted: Wanted, run: Run): Promise<AddonResult> {
  try {
    return await bring(wanted, run);
  } catch (error) {
    throwIfStopped(run.stop, `staging add-on ${quoted(wanted.id)}`);
    return keepGoing(wanted.id, wanted.version, storageFailure(error, run.layout.addon(wanted.id)), run);
  }
}

async function bring(wanted: Wanted, run: Run): Promise<AddonResult> {
  const { assignment } = wanted;
  const paths = run.layout.addon(wanted.id);
  const specs = openAddon(paths, run);
  const trust = {
    trustedKeys: run.keys,
    allowUnsigned: run.allowUnsigned.has(wanted.id),
    replace: run.replace,
  };
  const facts = await gatherFacts(wanted, paths, specs, trust, run.stop);
  const step = nextStep(wanted, facts);
  if (step.kind === "refuse") throw step.failure;
  const keyid = await obey(step, wanted, paths, run);
  if (facts.current !== step.folder) switchCurrent(paths, step.folder);
  const spec = specOf(assignment, {
    version: wanted.version,
    folder: step.folder,
    binary_name: wanted.binaryName,
    artifact_sha256: wanted.sha256,
    keyid: keyid ?? undefined,
  });
  writeSpecs(paths, specs, advance(specs, spec));
  for (const warning of step.warnings) run.warn(warning);
  if (assignment.os_capabilities.length > 0) {
    const names = assignment.os_capabilities.map((name) => quoted(name, 40)).join(", ");
    run.warn({
      code: "capabilities_not_applied",
      message: `add-on ${quoted(wanted.id)} wants ${names}; this build does not give capabilities to files`,
    });
  }
  const action = actionOf(step, !sameSpec(specs.active, spec));
  const outcome = action === "none" || action === "reconfigure" ? "unchanged" : "staged";
  return { ...inPlace(spec, paths), wantedVersion: wanted.version, outcome, action, failure: null };
}

/** The specs of an add-on whose folders, as far as they exist, are ours. */
function openAddon(paths: AddonPaths, run: Run): Specs {
  if (!checkOwnDirectory(paths.directory)) return { active: null, last_known_good: null, signed: false };
  checkOwnDirectory(paths.versions);
  sweep(paths.directory, "temporary_files");
  const { specs, warnings } = readSpecs(paths);
  for (const warning of warnings) run.warn(warning);
  return specs;
}

type Doing = Exclude<NextStep, { kind: "refuse" }>;

/** Returns the id of the key that signed what is now under `versions/`. */
async function obey(step: Doing, wanted: Wanted, paths: AddonPaths, run: Run): Promise<string | null> {
  if (step.kind === "in_place") {
    if (step.writeRecord) recordInPlace(wanted, step.folder, paths);
    return step.keyid;
  }
  const read = {
    key: wanted.objectKey,
    maxBytes: LIMITS.artifactBytes,
    deadlineMs: DOWNLOAD_MS,
    stop: run.stop,
  };
  const check = wanted.signature === null ? null : { signature: wanted.signature, keys: run.keys };
  return stageArtifact(wanted, step, await run.open(read), { ...run, paths, check });
}

function actionOf(step: Doing, changedSpec: boolean): Action {
  if (step.kind === "stage") return step.how === "new" ? "stage" : step.how;
  if (step.switchLink) return "activate";
  return changedSpec ? "reconfigure" : "none";
}

function hostBinaryProblem(path: string): Failure | null {
  try {
    if (!statSync(path).isFile())
      return new Failure("binary_missing", `binary_path ${quoted(path)} is no file`);
    accessSync(path, constants.X_OK);
    return null;
  } catch (error) {
    return new Failure("binary_missing", `binary_path ${quoted(path)} cannot be run: ${reason(error)}`, {
      hint: "the assignment names no artifact, so the program has to be on the host already",
    });
  }
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
  const fallback = await tryFallBack(paths, run);
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

async function tryFallBack(paths: AddonPaths, run: Run): Promise<Fallback> {
  try {
    if (!checkOwnDirectory(paths.directory) || !checkOwnDirectory(paths.versions)) {
      return { kind: "nothing", withdrawn: false };
    }
    return await fallBack(paths, readSpecs(paths).specs, run.stop);
  } catch {
    throwIfStopped(run.stop, `looking for what add-on ${quoted(paths.directory)} ran before`);
    // The first failure is the one to tell; this one has the same cause, or tells of a broken disk.
    return { kind: "nothing", withdrawn: false };
  }
}

function inPlace(
  spec: Spec,
  paths: AddonPaths,
): Pick<AddonResult, "addonId" | "version" | "binaryPath" | "sha256" | "keyid"> {
  return {
    addonId: spec.addon_id,
    version: spec.version,
    binaryPath: paths.binary(spec.folder, spec.binary_name),
    sha256: spec.artifact_sha256,
    keyid: spec.keyid ?? null,
  };
}

function nothingInPlace(addonId: string, version: string): AddonResult {
  return {
    addonId,
    version,
    wantedVersion: version,
    outcome: "skipped",
    action: "none",
    binaryPath: null,
    sha256: null,
    keyid: null,
    failure: null,
  };
}
