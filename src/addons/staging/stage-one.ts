import { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { quoted } from "../../base/printable.ts";
import { reason } from "../../host/files.ts";
import { askOf, type Wanted } from "../assigned/ask.ts";
import type { Assignment } from "../assigned/assignment.ts";
import { eventOf } from "../audit/audit-events.ts";
import { readCurrent } from "../on-host/current-link.ts";
import { checkOwnDirectory, sweep } from "../on-host/directories.ts";
import { gatherFacts } from "./facts.ts";
import { fallBack, settledSpecs, switchTo, writeSpecs, type Fallback } from "../on-host/last-known-good.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import { isSafeName } from "../names.ts";
import { markAfter, nextStep, type Facts } from "./next-step.ts";
import { obey, type Doing } from "./obtain.ts";
import { bytesCheck, isProvenByStatement } from "./release-signers.ts";
import { Overtaken } from "./overtaken.ts";
import type { Action, AddonResult, Outcome } from "./outcome.ts";
import { withSignerMark } from "./signer-rules.ts";
import { hostBinaryProblem, warnWhenInert } from "./runnable.ts";
import { note, type Run } from "./run.ts";
import { advance, NO_SPECS, sameSpec, signersOf, specOf, type Spec, type Specs } from "../on-host/spec.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import type { Warning } from "../warning.ts";

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
    if (error instanceof Overtaken) return bringOrKeep(wanted, run);
    const failure = storageFailure(error, run.layout.addon(wanted.id).directory);
    return keepGoing(wanted.id, wanted.version, failure, run);
  }
}

async function bring(wanted: Wanted, run: Run): Promise<AddonResult> {
  const { assignment } = wanted;
  const paths = run.layout.addon(wanted.id);
  const specs = openAddon(paths, run);
  const trust = {
    signers: run.keys(wanted),
    allowUnsigned: run.allowUnsigned.has(wanted.id),
    replace: run.replace,
    platform: run.platform,
    now: run.now,
  };
  const facts = await gatherFacts(wanted, paths, specs, trust, true, run.stop);
  const step = nextStep(wanted, facts);
  if (step.kind === "refuse") throw step.failure;
  const held = step.kind === "hold" ? null : (run.steady?.(assignment) ?? null);
  if (step.kind === "hold") {
    const kept = await hold(step.warnings, wanted, paths, specs, run);
    if (kept === null) throw pinnedIsGone(wanted);
    return kept;
  }
  const kept = held === null ? null : await hold([held], wanted, paths, specs, run);
  if (kept !== null) return kept;
  const before = [specs.active, specs.last_known_good, ...specs.history];
  const mayHave = before.some((one) => one !== null && one.os_capabilities.length > 0);
  const isOvertaken = (): boolean => !isAsDecided(step, paths, specs, facts);
  const { stated } = facts;
  const check = bytesCheck(wanted.signature, trust.signers, stated);
  const known = { size: stated?.size ?? null, mayHave, isOvertaken, check };
  const bytesKeyid = await obey(step, wanted, paths, run, known);
  const keyid = isProvenByStatement(facts.threshold, stated) ? stated.keyid : bytesKeyid;
  const spec = specOf(assignment, {
    version: wanted.version,
    folder: step.folder,
    binary_name: wanted.binaryName,
    artifact_sha256: wanted.sha256,
    keyid: keyid ?? undefined,
    stated: stated ?? undefined,
  });
  const mark = markAfter(wanted, facts.highestVersion);
  const marked = withSignerMark(specs, facts, spec);
  const after = advance(marked, spec, mark, run.gated?.has(spec.supervision));
  if (facts.current === step.folder && sameSpec(specs.active, spec)) promote(paths, specs, after, run);
  else if (facts.current === step.folder) writeSpecs(paths, specs, after);
  else switchTo(paths, marked, { spec, back: false }, after);
  for (const warning of step.warnings) run.warn(warning);
  warnWhenInert(paths.binary(spec.folder, spec.binary_name), run);
  run.attempts.succeeded(assignment);
  const action = actionOf(step, !sameSpec(specs.active, spec));
  for (const event of eventOf(action, spec, step.warnings)) note(run, event);
  const outcome = action === "none" || action === "reconfigure" ? "unchanged" : "staged";
  return { ...inPlace(spec, paths), wantedVersion: wanted.version, outcome, action, failure: null };
}

/** Whether the add-on still is what the step was decided on: an operator may have gone back, or pinned it. */
function isAsDecided(step: Doing, paths: AddonPaths, specs: Specs, { current }: Facts): boolean {
  const isThere = checkOwnDirectory(paths.version(step.folder));
  const isSame = Bun.deepEquals(settledSpecs(paths).specs, specs) && readCurrent(paths) === current;
  return isSame && isThere === (step.kind === "in_place" || step.how === "repair");
}

/** Nothing starts differently because of it: on a full disk it waits for another run. */
function promote(paths: AddonPaths, specs: Specs, after: Specs, run: Run): void {
  try {
    writeSpecs(paths, specs, after);
  } catch (error) {
    const message = `${quoted(paths.specs)} does not say yet that what runs is known good: ${reason(error)}`;
    run.warn({ code: "state_not_written", message });
  }
}

/** The specs of an add-on whose folders, as far as they exist, are ours. */
function openAddon(paths: AddonPaths, run: Run): Specs {
  if (!checkOwnDirectory(paths.directory)) return NO_SPECS;
  checkOwnDirectory(paths.versions);
  sweep(paths.directory, "temporary_files");
  const { specs, warnings } = settledSpecs(paths);
  for (const warning of warnings) run.warn(warning);
  return specs;
}

/** What is there stays; null when its bytes are not what was verified any more. */
async function hold(
  warnings: readonly Warning[],
  wanted: Wanted,
  paths: AddonPaths,
  specs: Specs,
  run: Run,
): Promise<AddonResult | null> {
  for (const warning of warnings) run.warn(warning);
  const fallback = await fallBack(paths, specs, run.stop);
  if (fallback.kind !== "kept") return null;
  const spec = inPlace(fallback.spec, paths);
  return { ...spec, wantedVersion: wanted.version, outcome: "unchanged", action: "hold", failure: null };
}

function pinnedIsGone(wanted: Wanted): Failure {
  return new Failure(
    "binary_missing",
    `what add-on ${quoted(wanted.id)} is pinned to is not there any more`,
    {
      hint: `take what is assigned with: waybill addon unpin ${wanted.id}`,
    },
  );
}

export function actionOf(step: Doing, changedSpec: boolean): Action {
  if (step.kind === "stage") return step.how === "new" ? "stage" : step.how;
  if (step.switchLink) return "activate";
  return changedSpec ? "reconfigure" : "none";
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
    for (const event of eventOf(action, fallback.spec, [])) note(run, event);
    return {
      ...inPlace(fallback.spec, paths),
      wantedVersion: version,
      outcome: "kept_last_known_good",
      action,
      failure,
    };
  }
  if (!fallback.withdrawn) return failed;
  note(run, { event: "withdrawn", addon_id: id, version, detail: failure.code });
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
    return await fallBack(paths, settledSpecs(paths).specs, run.stop);
  } catch {
    throwIfStopped(run.stop, `looking for what add-on ${quoted(paths.directory)} ran before`);
    // The first failure is the one to tell; this one has the same cause, or tells of a broken disk.
    return { kind: "nothing", withdrawn: false };
  }
}

function inPlace(
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
    keyids: [],
    failure: null,
  };
}
