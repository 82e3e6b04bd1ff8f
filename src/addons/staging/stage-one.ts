import type { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { quoted } from "../../base/printable.ts";
import { reason } from "../../host/files.ts";
import { askOf, type Wanted } from "../assigned/ask.ts";
import type { Assignment } from "../assigned/assignment.ts";
import { eventOf } from "../audit/audit-events.ts";
import { readCurrent } from "../on-host/current-link.ts";
import { checkOwnDirectory, sweep } from "../on-host/directories.ts";
import { gatherFacts } from "./facts.ts";
import {
  confirmRepair,
  intendRepair,
  openSpecs,
  switchNoted,
  withoutRepair,
  writeNoted,
  type Opened,
} from "../on-host/noted-specs.ts";
import { settledSpecs, writeSpecs } from "../on-host/specs-file.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import { markAfter, nextStep, type Facts, type NextStep } from "./next-step.ts";
import { obey, type Doing } from "./obtain.ts";
import { hold, inPlace, isPinnedGone, keepGoing, nothingInPlace, pinnedIsGone } from "./keep-going.ts";
import { bytesCheck, isProvenByStatement } from "./release-signers.ts";
import { Overtaken } from "./overtaken.ts";
import type { Action, AddonResult, Outcome } from "./outcome.ts";
import { withSignerMark } from "./signer-rules.ts";
import { hostBinaryProblem, warnWhenInert } from "./runnable.ts";
import type { Run } from "./run.ts";
import { advance, NO_SPECS, sameSpec, specOf, type Specs } from "../on-host/spec.ts";
import { storageFailure } from "../on-host/storage-failure.ts";

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
  const opened = openAddon(paths, run);
  const trust = {
    signers: run.keys(wanted),
    allowUnsigned: run.allowUnsigned.has(wanted.id),
    replace: run.replace,
    platform: run.platform,
    now: run.now,
  };
  const facts = await gatherFacts(wanted, paths, opened, trust, true, run.stop);
  const step = nextStep(wanted, facts);
  if (step.kind === "refuse") throw step.failure;
  const specs = noteRepair(step, wanted, paths, opened, run);
  const held = step.kind === "hold" ? null : (run.steady?.(assignment) ?? null);
  if (step.kind === "hold") {
    const kept = await hold(step.warnings, wanted, paths, specs, run);
    if (kept === null || isPinnedGone(kept, specs)) throw pinnedIsGone(wanted);
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
  const advanced = advance(marked, spec, mark, run.gated?.has(spec.supervision));
  const after = withoutRepair(advanced, wanted.sha256);
  const action = actionOf(step, !sameSpec(specs.active, spec));
  const events = eventOf(action, spec, step.warnings);
  if (facts.current === step.folder && events.length === 0) promote(paths, specs, after, run);
  else if (facts.current === step.folder) tell(run, writeNoted(paths, specs, after, events, run.audit));
  else tell(run, switchNoted(paths, marked, { spec, back: false }, after, events, run.audit));
  for (const warning of step.warnings) run.warn(warning);
  warnWhenInert(paths.binary(spec.folder, spec.binary_name), run);
  run.attempts.succeeded(assignment);
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
  return tell(run, openSpecs(paths, run.audit));
}

/** A repair changes no specs, so it is noted before it is made; one that a killed run made is told of now. */
function noteRepair(step: NextStep, wanted: Wanted, paths: AddonPaths, specs: Specs, run: Run): Specs {
  const { id: addon_id, version, sha256 } = wanted;
  if (step.kind === "in_place") return tell(run, confirmRepair(paths, specs, sha256, run.audit));
  if (step.kind !== "stage" || step.how !== "repair") return specs;
  return intendRepair(paths, specs, { addon_id, version, sha256 }, run.audit);
}

function tell(run: Run, { specs, warnings }: Opened): Specs {
  for (const warning of warnings) run.warn(warning);
  return specs;
}

export function actionOf(step: Doing, changedSpec: boolean): Action {
  if (step.kind === "stage") return step.how === "new" ? "stage" : step.how;
  if (step.switchLink) return "activate";
  return changedSpec ? "reconfigure" : "none";
}
