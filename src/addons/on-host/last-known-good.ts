import { existsSync, readdirSync } from "node:fs";
import type { Sha256 } from "../../base/digest.ts";
import { quoted } from "../../base/printable.ts";
import { reason } from "../../host/files.ts";
import { eventOf } from "../audit/audit-events.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { isSafeName } from "../names.ts";
import type { Warning } from "../warning.ts";
import { readCurrent, removeCurrent } from "./current-link.ts";
import { isOwnDirectory } from "./directories.ts";
import type { AddonPaths, Layout } from "./layout.ts";
import { openSpecs, payOwed, switchNoted, writeNoted } from "./noted-specs.ts";
import { readRecord } from "./record.ts";
import { NO_SPECS, owingMore, sameSpec, type Spec, type Specs } from "./spec.ts";
import { writeSpecs } from "./specs-file.ts";

export type Fallback =
  | { readonly kind: "kept"; readonly spec: Spec; readonly restored: boolean }
  /** `withdrawn`: `current` named bytes that are not what was verified, so the name was taken away. */
  | { readonly kind: "nothing"; readonly withdrawn: boolean };

/** Who gets to know what a fall-back did: the log, and why it was made. */
export type Noting = {
  readonly audit: AuditLog;
  readonly addonId: string;
  /** The version that could not be had, and the code of why not. */
  readonly version: string;
  readonly detail: string;
  readonly warn: (warning: Warning) => void;
};

/**
 * What goes on when the assignment could not be met: the active spec, or else the last known good one, if its bytes
 * still are what was verified. `current` then names it, and names nothing when only wrong bytes are left.
 */
export async function fallBack(
  paths: AddonPaths,
  specs: Specs,
  stop: AbortSignal,
  noting: Noting,
): Promise<Fallback> {
  const { audit, warn } = noting;
  const current = readCurrent(paths);
  for (const spec of [specs.active, specs.last_known_good]) {
    if (spec === null || !(await holds(paths, spec.folder, spec.binary_name, spec.artifact_sha256, stop)))
      continue;
    const restored = current !== spec.folder || !sameSpec(spec, specs.active);
    const after = { ...specs, active: spec, pending: null };
    const events = restored ? eventOf("restore", spec, []) : [];
    try {
      const { warnings } =
        current === spec.folder
          ? writeNoted(paths, specs, after, events, audit)
          : switchNoted(paths, specs, { spec, back: false }, after, events, audit);
      for (const warning of warnings) warn(warning);
      return { kind: "kept", spec, restored };
    } catch (error) {
      // A full disk: what is shown goes on all the same, and wrong bytes in its place are taken away below.
      const message = `${quoted(paths.specs)} cannot say that version ${quoted(spec.version)} is in place again: ${reason(error)}`;
      warn({ code: "state_not_written", message });
      if (current === spec.folder) return { kind: "kept", spec, restored: false };
    }
  }
  const withdrawn = current !== null && !(await isWhole(current, paths, specs, stop));
  if (!withdrawn) return { kind: "nothing", withdrawn };
  const { addonId: addon_id, version, detail } = noting;
  const lines = audit.owe([{ event: "withdrawn", addon_id, version, detail }], true);
  const intending = owingMore(specs, lines);
  tryToWrite(paths, specs, intending);
  removeCurrent(paths);
  for (const warning of payOwed(paths, intending, audit, false).warnings) warn(warning);
  return { kind: "nothing", withdrawn };
}

/** What must not be run is taken away, whether it can be noted or not. */
function tryToWrite(paths: AddonPaths, before: Specs, after: Specs): void {
  try {
    writeSpecs(paths, before, after);
  } catch {
    // The line is written at once below; only a kill in between would lose it.
  }
}

/** Whether what `current` names may stay. A spec of ours that names it would have been kept if it were whole. */
async function isWhole(folder: string, paths: AddonPaths, specs: Specs, stop: AbortSignal): Promise<boolean> {
  if ([specs.active, specs.last_known_good].some((spec) => spec?.folder === folder)) return false;
  // Another program staged it: there is no spec to start it with, but while it is whole it is left alone.
  const record = readRecord(paths.record(folder));
  return record === null || holds(paths, folder, record.binary_name, record.artifact_sha256, stop);
}

async function holds(
  paths: AddonPaths,
  folder: string,
  binaryName: string,
  sha256: Sha256,
  stop: AbortSignal,
): Promise<boolean> {
  if (!isOwnDirectory(paths.version(folder))) return false;
  // Loaded when it is needed: most runs find everything as it was.
  const { inspect } = await import("./installed.ts");
  return (
    (await inspect(paths, folder, { binaryName, sha256, check: null, modes: "put_right", stop })).sha256 ===
    sha256
  );
}

/**
 * Forgets how to start what is not assigned any more: when it is assigned again later, an old configuration must
 * not come back with it. The bytes stay, and so does what guards against a downgrade.
 */
export function forgetUnassigned(layout: Layout, assigned: ReadonlySet<string>, audit: AuditLog): Warning[] {
  return readdirSync(layout.addons).flatMap((id): Warning[] => {
    if (assigned.has(id) || !isSafeName(id)) return [];
    const paths = layout.addon(id);
    if (!isOwnDirectory(paths.directory) || !existsSync(paths.specs)) return [];
    try {
      const { specs, warnings } = openSpecs(paths, audit);
      writeSpecs(paths, specs, {
        ...NO_SPECS,
        signed: specs.signed,
        stated: specs.stated,
        minimum_version: specs.minimum_version,
        highest_version: specs.highest_version,
        blocked: specs.blocked,
        signer_mark: specs.signer_mark,
        owed: specs.owed,
      });
      return [...warnings];
    } catch (error) {
      // What is not assigned must not stop what is.
      const message = `${quoted(paths.specs)} still says how to start what is not assigned any more: ${reason(error)}`;
      return [{ code: "state_not_written", message }];
    }
  });
}
