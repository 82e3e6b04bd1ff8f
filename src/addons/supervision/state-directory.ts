import { chmodSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ownDirectory } from "../on-host/directories.ts";
import type { AddonPaths } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import { writeAtomic } from "../../host/files.ts";

/** The configuration may hold secrets, and the state is nobody else's business. */
const STATE_MODE = 0o700;
const CONFIG_MODE = 0o600;
const CONFIG_NAME = ".waybill-config.json";

/** The folder that an add-on may write: `given` when systemd made one, else its own beside the versions. */
export function stateDirectory(paths: AddonPaths, given: string | null): string {
  if (given !== null) return given;
  const state = join(paths.directory, "state");
  // An add-on that a package of the host brings has no folder before.
  ownDirectory(paths.directory);
  ownDirectory(state);
  chmodSync(state, STATE_MODE);
  return state;
}

/**
 * Puts the configuration of a spec where the program reads it,
 * whatever it made of the last one; null when it has none.
 */
export function writeConfig(state: string, { config_json }: Pick<Spec, "config_json">): string | null {
  if (config_json === undefined) return null;
  const path = join(state, CONFIG_NAME);
  const text = `${JSON.stringify(config_json)}\n`;
  // What is there already needs no room on the disk.
  if (!isThere(path, text)) writeAtomic(path, text, CONFIG_MODE);
  return path;
}

function isThere(path: string, text: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  const isOurs =
    status?.isFile() === true &&
    status.nlink === 1 &&
    (status.mode & 0o777) === CONFIG_MODE &&
    status.uid === process.geteuid?.();
  return isOurs && status.size === Buffer.byteLength(text) && readFileSync(path, "utf8") === text;
}
