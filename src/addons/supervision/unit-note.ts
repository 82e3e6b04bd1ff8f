import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { AddonPaths } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import { decode, list, object, string } from "../../base/decode.ts";
import { sha256Of } from "../../base/hashing.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { writeAtomic } from "../../host/files.ts";
import { readOwn } from "../on-host/own-file.ts";
import type { UnitFile } from "./unit-text.ts";

/** What whoever installs units chooses. */
export type UnitChoice = {
  /** Absolute path of waybill itself. */
  readonly waybill: string;
  /** Where units are installed. */
  readonly directory: string;
  /** In place of what the bundle says; empty for that. */
  readonly onCalendar: readonly string[];
};

/** The choice with which units were installed, and for what they were started last. */
type UnitNote = UnitChoice & { readonly started: string };

/** Readable by its owner alone: it has a digest of a configuration. */
const MODE = 0o600;

const decoder = object({
  waybill: string(),
  directory: string(),
  onCalendar: list(string(), 100),
  started: string(),
});

function pathOf(paths: AddonPaths): string {
  return join(paths.directory, ".waybill-unit.json");
}

/** null when none was installed, or nobody can tell how. */
export function readUnitNote(paths: AddonPaths): UnitNote | null {
  if (!existsSync(pathOf(paths))) return null;
  try {
    const bytes = readOwn(pathOf(paths), LIMITS.runtimeNoteBytes, "the note about the unit");
    const decoded = decode(decoder, parseJson(bytes, { what: "the note", code: "record_mismatch" }));
    return decoded.ok ? decoded.value : null;
  } catch {
    return null;
  }
}

export function writeUnitNote(paths: AddonPaths, choice: UnitChoice, started: string): void {
  const { waybill, directory, onCalendar } = choice;
  writeAtomic(pathOf(paths), `${JSON.stringify({ waybill, directory, onCalendar, started })}\n`, MODE);
}

export function removeUnitNote(paths: AddonPaths): void {
  rmSync(pathOf(paths), { force: true });
}

/** The same for the same spec in the same units: whoever is killed between writing and starting starts anew. */
export function startedFor(spec: Spec, files: readonly UnitFile[]): string {
  return sha256Of(JSON.stringify([spec, files]));
}
