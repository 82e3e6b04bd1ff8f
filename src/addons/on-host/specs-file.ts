import { existsSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { writeAtomic } from "../../host/files.ts";
import type { Warning } from "../warning.ts";
import { readCurrent, switchCurrent } from "./current-link.ts";
import { settle } from "./journal.ts";
import type { AddonPaths } from "./layout.ts";
import { readOwn } from "./own-file.ts";
import { NO_SPECS, owingMore, type Pending, type Specs } from "./spec.ts";
import { decodeSpecs, encodeSpecs, newerSchema } from "./specs-document.ts";

/** A configuration may hold secrets. */
const SPECS_MODE = 0o600;
const NOT_OURS: ReadonlySet<string> = new Set(["state_newer", "unsafe_path"]);

/**
 * The persisted specs of an add-on. What cannot be read is told and counts as none: the bytes are still there. Those
 * of a newer build are not touched, as they may guard what this one knows nothing of: Failure `state_newer`. Those that
 * somebody else could have written are not believed, and not written over either: Failure `unsafe_path`.
 */
export function readSpecs(paths: AddonPaths): {
  readonly specs: Specs;
  readonly warnings: readonly Warning[];
} {
  if (!existsSync(paths.specs)) return { specs: NO_SPECS, warnings: [] };
  try {
    const bytes = readOwn(paths.specs, LIMITS.specsBytes, "the specs");
    const source = { what: "it", code: "record_mismatch", maxBytes: LIMITS.specsBytes } as const;
    const document = parseJson(bytes, source);
    const newer = newerSchema(document);
    if (newer !== null) throw stateNewer(paths.specs, newer);
    const decoded = decodeSpecs(document);
    if (decoded.ok) return { specs: decoded.value, warnings: [] };
    throw new Failure("record_mismatch", decoded.problems.slice(0, 3).join("; "));
  } catch (error) {
    if (error instanceof Failure && NOT_OURS.has(error.code)) throw error;
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

/**
 * Writes what changed; false when it was left alone: specs that cannot be read may be of use to somebody yet, so only
 * such as say what to start take their place, and no line for the log. Throws Failure for more than is read back.
 */
export function writeSpecs(paths: AddonPaths, before: Specs, after: Specs): boolean {
  if (Bun.deepEquals(before, after)) return true;
  if (after.active === null && after.pending === null && readSpecs(paths).warnings.length > 0) return false;
  const bytes = new TextEncoder().encode(encodeSpecs(after));
  if (bytes.length > LIMITS.specsBytes) {
    throw new Failure(
      "storage_failed",
      `${quoted(paths.specs)} would have ${bytes.length} bytes; at most ${LIMITS.specsBytes} are read back`,
      { hint: "a configuration as large as this belongs into a file of the bundle" },
    );
  }
  writeAtomic(paths.specs, bytes, SPECS_MODE);
  return true;
}

/**
 * Shows another folder: the journal says so first, then the link moves, then `after` is what counts. Whatever moment
 * a run dies at, `settle` makes whole specs of what it left, and the next run the same ones. Returns what was written.
 */
export function switchTo(paths: AddonPaths, specs: Specs, pending: Pending, after: Specs): Specs {
  const prepared = { ...specs, pending };
  writeSpecs(paths, specs, prepared);
  switchCurrent(paths, pending.spec.folder);
  const done = owingMore(after, pending.owed ?? []);
  writeSpecs(paths, prepared, done);
  return done;
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
