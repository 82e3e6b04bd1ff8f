import { readdirSync, statSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode } from "../../host/files.ts";
import { readCurrent } from "./current-link.ts";
import { checkOwnDirectory } from "./directories.ts";
import { settle } from "./journal.ts";
import { readSpecs } from "./specs-file.ts";
import type { AddonPaths, Layout } from "./layout.ts";
import { isSafeName, safeName, type SafeName } from "../names.ts";
import { readRecord, type AddonRecord } from "./record.ts";
import type { Specs } from "./spec.ts";
import type { Warning } from "../warning.ts";

export type StagedFolder = {
  readonly folder: SafeName;
  readonly record: AddonRecord | null;
  /** When it got its name, in milliseconds since 1970. */
  readonly stagedMs: number;
};

/** One add-on as it lies on the host. */
export type HostAddon = {
  readonly id: SafeName;
  readonly paths: AddonPaths;
  readonly current: string | null;
  /** As they will be once a killed run's switch is settled. */
  readonly specs: Specs;
  /** What is told when they cannot be read, and count as none. */
  readonly warnings: readonly Warning[];
  readonly folders: readonly StagedFolder[];
};

/**
 * The add-ons of a root, all of them or those with these ids; nothing is written. Throws Failure `not_found` for an
 * id that is not there, `unsafe_path` for something planted.
 */
export function readInventory(layout: Layout, ids: readonly string[]): HostAddon[] {
  const wanted = ids.map((id) => safeName(id, "the add-on"));
  const found = wanted.length > 0 ? wanted : addonIds(layout);
  return found.map((id) => {
    const paths = layout.addon(id);
    if (checkOwnDirectory(paths.directory)) return readAddon(id, paths);
    throw new Failure("not_found", `there is no add-on ${quoted(id)} under ${quoted(layout.addons)}`, {
      hint: "see what is there with: waybill addon status",
    });
  });
}

/** Every name in the root that an add-on may have; nothing of them is read. */
export function addonIds(layout: Layout): SafeName[] {
  return namesIn(layout.addons).filter(isSafeName).toSorted();
}

function readAddon(id: SafeName, paths: AddonPaths): HostAddon {
  const current = readCurrent(paths);
  const hasVersions = checkOwnDirectory(paths.versions);
  const { specs, warnings } = readSpecs(paths);
  return {
    id,
    paths,
    current,
    specs: settle(specs, current),
    warnings,
    folders: hasVersions ? foldersIn(paths) : [],
  };
}

function foldersIn(paths: AddonPaths): StagedFolder[] {
  return namesIn(paths.versions)
    .filter(isSafeName)
    .filter((folder) => checkOwnDirectory(paths.version(folder)))
    .flatMap((folder) => {
      // A collection may go on beside whoever only looks.
      const status = statSync(paths.version(folder), { throwIfNoEntry: false });
      if (status === undefined) return [];
      return [{ folder, record: readRecord(paths.record(folder)), stagedMs: status.mtimeMs }];
    })
    .toSorted((a, b) => b.stagedMs - a.stagedMs);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
