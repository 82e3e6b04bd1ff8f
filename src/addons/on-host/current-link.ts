import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, fsyncDirectory } from "../../host/files.ts";
import { randomHex } from "../../host/random.ts";
import type { AddonPaths } from "./layout.ts";
import { isSafeName } from "../names.ts";

/**
 * The folder under `versions/` that `current` names; null when there is none, or a link to elsewhere (which is
 * replaced, and never followed). Throws Failure `unsafe_path` for anything but a link.
 */
export function readCurrent(paths: AddonPaths): string | null {
  try {
    const target = readlinkSync(paths.current);
    const folder = /^versions\/([^/]+)$/u.exec(target)?.[1] ?? "";
    return isSafeName(folder) ? folder : null;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    if (errorCode(error) !== "EINVAL") throw error;
    throw new Failure("unsafe_path", `${quoted(paths.current)} is not a link`, {
      hint: "it was not made by waybill; move it away and run again",
    });
  }
}

/** Switches `current` in one step: whoever looks sees the old version or the new one. */
export function switchCurrent(paths: AddonPaths, folder: string): void {
  // The name of a folder that is not there yet would make a link to nothing.
  lstatSync(paths.version(folder));
  const temporary = join(paths.directory, `.current.${randomHex(6)}.tmp`);
  symlinkSync(`versions/${folder}`, temporary);
  try {
    renameSync(temporary, paths.current);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  fsyncDirectory(paths.directory);
}

/** Takes the name away from bytes that nobody should run. */
export function removeCurrent(paths: AddonPaths): void {
  unlinkSync(paths.current);
  fsyncDirectory(paths.directory);
}
