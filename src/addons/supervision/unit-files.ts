import { lstatSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../base/limits.ts";
import { errorCode, fsyncDirectory, readBounded, writeAtomic } from "../../host/files.ts";
import type { Found, UnitChange } from "./unit-plan.ts";

const UNIT_MODE = 0o644;

export function lookAtUnits(directory: string, names: readonly string[]): Record<string, Found> {
  return Object.fromEntries(names.map((name) => [name, lookAt(join(directory, name))]));
}

function lookAt(path: string): Found {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return { kind: "nothing" };
  if (status.isSymbolicLink())
    return readlinkSync(path) === "/dev/null" ? { kind: "masked" } : { kind: "other" };
  if (!status.isFile()) return { kind: "other" };
  // systemd takes an empty file for a mask as well.
  if (status.size === 0) return { kind: "masked" };
  return { kind: "file", text: new TextDecoder().decode(readBounded(path, LIMITS.unitBytes, "the unit")) };
}

/** The drop-ins of an operator: named, and never touched. */
export function dropInsOf(directory: string, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const folder = join(directory, `${name}.d`);
    try {
      return readdirSync(folder)
        .filter((one) => one.endsWith(".conf"))
        .map((one) => join(folder, one));
    } catch (error) {
      if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return [];
      throw error;
    }
  });
}

export function applyChanges(directory: string, changes: readonly UnitChange[]): void {
  for (const { name, text } of changes) put(directory, name, text);
}

/** Every file is what it was before `applyChanges`, however far that came. */
export function undoChanges(directory: string, changes: readonly UnitChange[]): void {
  for (const { name, before } of changes.toReversed()) put(directory, name, before);
}

function put(directory: string, name: string, text: string | null): void {
  const path = join(directory, name);
  if (text !== null) return writeAtomic(path, text, UNIT_MODE);
  rmSync(path, { force: true });
  fsyncDirectory(directory);
}
