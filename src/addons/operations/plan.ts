import type { Failure } from "../../base/failure.ts";
import { throwIfStopped } from "../../base/interruption.ts";
import { quoted } from "../../base/printable.ts";
import { askOf, type Ask } from "../assigned/ask.ts";
import type { Assignment } from "../assigned/assignment.ts";
import { checkOwnDirectory } from "../on-host/directories.ts";
import { gatherFacts } from "../staging/facts.ts";
import { readCurrent } from "../on-host/current-link.ts";
import { settle } from "../on-host/journal.ts";
import { readSpecs } from "../on-host/specs-file.ts";
import { storageFailure } from "../on-host/storage-failure.ts";
import { nextStep, type Facts, type NextStep } from "../staging/next-step.ts";
import type { Run } from "../staging/run.ts";
import { actionOf } from "../staging/stage-one.ts";
import type { Action } from "../staging/outcome.ts";
import { NO_SPECS, sameSpec, specOf, type Specs } from "../on-host/spec.ts";

/** What a run decides by, without what it does things with. */
export type Planning = Pick<
  Run,
  "layout" | "platform" | "isHost" | "keys" | "allowUnsigned" | "replace" | "now" | "stop"
>;

/** What `addon-stage` would do about one assignment, decided by the same functions and without a write. */
export type Planned = {
  readonly addonId: string;
  /** The version in place; "" for none. */
  readonly version: string;
  readonly wantedVersion: string;
  readonly action: Action;
  readonly changes: boolean;
  readonly failure: Failure | null;
  readonly ask: Ask;
  /** null when the assignment alone decided. */
  readonly facts: Facts | null;
  readonly step: NextStep | null;
};

export async function planOne(assignment: Assignment, planning: Planning): Promise<Planned> {
  const ask = askOf(assignment, planning.platform, planning.layout);
  const plain = (action: Action, failure: Failure | null): Planned => ({
    addonId: assignment.addon_id,
    version: "",
    wantedVersion: assignment.version,
    action,
    changes: false,
    failure,
    ask,
    facts: null,
    step: null,
  });
  if (ask.kind === "refuse" || ask.kind === "unsupported") return plain("none", ask.failure);
  if (ask.kind === "use_host_binary") return plain("use_host_binary", null);
  if (ask.kind !== "artifact") return plain("none", null);
  const { wanted } = ask;
  const paths = planning.layout.addon(wanted.id);
  try {
    const specs: Specs = checkOwnDirectory(paths.directory)
      ? settle(readSpecs(paths).specs, readCurrent(paths))
      : NO_SPECS;
    const trust = {
      signers: planning.keys(wanted),
      allowUnsigned: planning.allowUnsigned.has(wanted.id),
      replace: planning.replace,
      platform: planning.platform,
      now: planning.now,
    };
    const facts = await gatherFacts(wanted, paths, specs, trust, false, planning.stop);
    const step = nextStep(wanted, facts);
    const known = { ...plain("none", null), version: specs.active?.version ?? "", facts, step };
    if (step.kind === "refuse") return { ...known, failure: step.failure };
    if (step.kind === "hold") return { ...known, action: "hold" };
    const spec = specOf(assignment, {
      version: wanted.version,
      folder: step.folder,
      binary_name: wanted.binaryName,
      artifact_sha256: wanted.sha256,
      keyid: step.kind === "in_place" ? (step.keyid ?? undefined) : specs.active?.keyid,
      stated: facts.stated ?? undefined,
    });
    const action = actionOf(step, !sameSpec(specs.active, spec));
    return { ...known, action, changes: action !== "none" };
  } catch (error) {
    throwIfStopped(planning.stop, `planning add-on ${quoted(wanted.id)}`);
    return plain("none", storageFailure(error, paths.directory));
  }
}
