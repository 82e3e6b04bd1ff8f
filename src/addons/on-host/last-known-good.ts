import { existsSync, readdirSync } from "node:fs";
import type { Sha256 } from "../../base/digest.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { readBounded, reason, writeAtomic } from "../../host/files.ts";
import { readCurrent, removeCurrent, switchCurrent } from "./current-link.ts";
import { isOwnDirectory } from "./directories.ts";
import type { AddonPaths, Layout } from "./layout.ts";
import { isSafeName } from "../names.ts";
import { readRecord } from "./record.ts";
import {
  decodeSpecs,
  encodeSpecs,
  newerSchema,
  NO_SPECS,
  sameSpec,
  type Pending,
  type Spec,
  type Specs,
} from "./spec.ts";
import { settle } from "./journal.ts";
import type { Warning } from "../warning.ts";

/** A configuration may hold secrets. */
const SPECS_MODE = 0o600;

/**
 * The persisted specs of an add-on. What cannot be read is told and counts as none: the bytes are still there. Those
 * of a newer build are not touched, as they may guard what this one knows nothing of: Failure `state_newer`.
 */
export function readSpecs(paths: AddonPaths): {
  readonly specs: Specs;
  readonly warnings: readonly Warning[];
} {
  if (!existsSync(paths.specs)) return { specs: NO_SPECS, warnings: [] };
  try {
    const bytes = readBounded(paths.specs, LIMITS.documentBytes, "the specs");
    const document = parseJson(bytes, { what: "the specs", code: "record_mismatch" });
    const newer = newerSchema(document);
    if (newer !== null) throw stateNewer(paths.specs, newer);
    const decoded = decodeSpecs(document);
    if (decoded.ok) return { specs: decoded.value, warnings: [] };
    throw new Failure("record_mismatch", decoded.problems.slice(0, 3).join("; "));
  } catch (error) {
    if (error instanceof Failure && error.code === "state_newer") throw error;
    const message = error instanceof Error ? error.message : String(error);
    return {
      specs: NO_SPECS,
      warnings: [
        { code: "state_unreadable", message: `${quoted(paths.specs)} is taken for empty: ${message}` },
      ],
    };
  }
}

function stateNewer(path: string, schema: string): Failure {
  return new Failure(
    "state_newer",
    `${quoted(path)} was written by a newer waybill (${quoted(schema, 60)})`,
    {
      hint: "run that one; going back to an older waybill needs an empty root",
    },
  );
}

export function writeSpecs(paths: AddonPaths, before: Specs, after: Specs): void {
  if (Bun.deepEquals(before, after)) return;
  writeAtomic(paths.specs, encodeSpecs(after), SPECS_MODE);
}

export type Fallback =
  | { readonly kind: "kept"; readonly spec: Spec; readonly restored: boolean }
  /** `withdrawn`: `current` named bytes that are not what was verified, so the name was taken away. */
  | { readonly kind: "nothing"; readonly withdrawn: boolean };

/**
 * What goes on when the assignment could not be met: the active spec, or else the last known good one, if its bytes
 * still are what was verified. `current` then names it, and names nothing when only wrong bytes are left.
 */
export async function fallBack(paths: AddonPaths, specs: Specs, stop: AbortSignal): Promise<Fallback> {
  const current = readCurrent(paths);
  for (const spec of [specs.active, specs.last_known_good]) {
    if (spec === null || !(await holds(paths, spec.folder, spec.binary_name, spec.artifact_sha256, stop)))
      continue;
    if (current === spec.folder) writeSpecs(paths, specs, { ...specs, active: spec, pending: null });
    else switchTo(paths, specs, { spec, back: false }, { ...specs, active: spec, pending: null });
    return { kind: "kept", spec, restored: current !== spec.folder || !sameSpec(spec, specs.active) };
  }
  const withdrawn = current !== null && !(await isWhole(current, paths, specs, stop));
  if (withdrawn) removeCurrent(paths);
  return { kind: "nothing", withdrawn };
}

/** Whether what `current` names may stay. No spec of ours was whole, so one that names this folder says no. */
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
 * Shows another folder: the journal says so first, then the link moves, then `after` is what counts. Whatever moment
 * a run dies at, `settle` gives the same specs from what it left.
 */
export function switchTo(paths: AddonPaths, specs: Specs, pending: Pending, after: Specs): void {
  const prepared = { ...specs, pending };
  writeSpecs(paths, specs, prepared);
  switchCurrent(paths, pending.spec.folder);
  writeSpecs(paths, prepared, after);
}

/** The specs as they are after what a killed run left was settled. */
export function settledSpecs(paths: AddonPaths): {
  readonly specs: Specs;
  readonly warnings: readonly Warning[];
} {
  const { specs, warnings } = readSpecs(paths);
  if (specs.pending === null) return { specs, warnings };
  const settled = settle(specs, readCurrent(paths));
  writeSpecs(paths, specs, settled);
  return { specs: settled, warnings };
}

/**
 * Forgets how to start what is not assigned any more: when it is assigned again later, an old configuration must
 * not come back with it. The bytes stay, and so does what guards against a downgrade.
 */
export function forgetUnassigned(layout: Layout, assigned: ReadonlySet<string>): Warning[] {
  return readdirSync(layout.addons).flatMap((id): Warning[] => {
    if (assigned.has(id) || !isSafeName(id)) return [];
    const paths = layout.addon(id);
    if (!isOwnDirectory(paths.directory) || !existsSync(paths.specs)) return [];
    try {
      const { specs } = readSpecs(paths);
      writeSpecs(paths, specs, {
        ...NO_SPECS,
        signed: specs.signed,
        stated: specs.stated,
        minimum_version: specs.minimum_version,
        highest_version: specs.highest_version,
        blocked: specs.blocked,
        signer_mark: specs.signer_mark,
      });
      return [];
    } catch (error) {
      // What is not assigned must not stop what is.
      const message = `${quoted(paths.specs)} still says how to start what is not assigned any more: ${reason(error)}`;
      return [{ code: "state_not_written", message }];
    }
  });
}
