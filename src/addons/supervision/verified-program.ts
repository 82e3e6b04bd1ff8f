import { existsSync } from "node:fs";
import { join } from "node:path";
import { readCurrent } from "../on-host/current-link.ts";
import { checkOwnDirectory } from "../on-host/directories.ts";
import { inspect } from "../on-host/installed.ts";
import { settle } from "../on-host/journal.ts";
import { readSpecs } from "../on-host/specs-file.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import type { Spec, Specs } from "../on-host/spec.ts";
import { decodeSpecs } from "../on-host/specs-document.ts";
import { marksOf } from "../on-host/stamp-file.ts";
import { Failure } from "../../base/failure.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { readBounded } from "../../host/files.ts";

/** A program whose bytes, and those of everything beside it, were read and are what was verified. */
export type VerifiedProgram = {
  readonly path: string;
  /** Throws Failure `file_changed` when something changed since they were read. */
  readonly requireUnchanged: () => void;
};

/** The name under which a unit hands the specs to a service that may not read them where they lie. */
export const SPECS_CREDENTIAL = "waybill-specs";

/**
 * The specs of an add-on, with a switch that is going on counted as done or not begun. From `credentials` when they
 * are there: they are copied by systemd before the service starts, which then runs as another user.
 */
export function startSpecs(paths: AddonPaths, credentials: string | null): Specs {
  const given = credentials === null ? null : join(credentials, SPECS_CREDENTIAL);
  const { specs, warnings } =
    given !== null && existsSync(given) ? { specs: readGiven(given), warnings: [] } : readSpecs(paths);
  const [unreadable] = warnings;
  // To start nothing without a word would look like an add-on that is not assigned.
  if (unreadable !== undefined) throw new Failure("file_unreadable", unreadable.message);
  return settle(specs, readCurrent(paths));
}

function readGiven(path: string): Specs {
  const bytes = readBounded(path, LIMITS.specsBytes, "the specs");
  const source = { what: "the specs", code: "record_mismatch", maxBytes: LIMITS.specsBytes } as const;
  const decoded = decodeSpecs(parseJson(bytes, source));
  if (decoded.ok) return decoded.value;
  throw new Failure("record_mismatch", `${quoted(path)}: ${decoded.problems.slice(0, 3).join("; ")}`);
}

/**
 * Reads every byte of what a spec starts and gives the program when all of them are right. Nothing is changed: whoever
 * starts programs need not be who stages them. Throws Failure `hash_mismatch`, `unsafe_path`.
 */
export async function verifiedProgram(
  paths: AddonPaths,
  spec: Spec,
  stop: AbortSignal,
): Promise<VerifiedProgram> {
  const { folder, binary_name: binaryName, artifact_sha256: sha256 } = spec;
  checkOwnDirectory(paths.directory);
  checkOwnDirectory(paths.versions);
  if (!checkOwnDirectory(paths.version(folder))) {
    throw new Failure("binary_missing", `version ${quoted(spec.version)} is not there any more`);
  }
  const before = marksOf(paths, folder);
  // What others may write need not be what was read by the time that it starts.
  const modes = "report_shared";
  const found = await inspect(paths, folder, { binaryName, sha256, check: null, modes, stop });
  if (found.sha256 !== sha256 || before === null) {
    throw new Failure(
      "hash_mismatch",
      `version ${quoted(spec.version)} is not what was verified: ${found.damage.slice(0, 3).join("; ")}`,
      { hint: `make it whole with: waybill addon fsck --repair ${spec.addon_id}` },
    );
  }
  return {
    path: paths.binary(folder, binaryName),
    requireUnchanged: () => {
      if (Bun.deepEquals(before, marksOf(paths, folder))) return;
      throw new Failure("file_changed", `version ${quoted(spec.version)} changed while it was read`);
    },
  };
}
