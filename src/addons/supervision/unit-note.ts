import { join } from "node:path";
import type { AddonPaths } from "../on-host/layout.ts";
import type { Spec } from "../on-host/spec.ts";
import { sha256Of } from "../../base/hashing.ts";
import { readTextIfThere, writeAtomic } from "../../host/files.ts";

/** For which spec the unit was started last. Readable by its owner alone: it is a digest of a configuration. */
const MODE = 0o600;

function pathOf(paths: AddonPaths): string {
  return join(paths.directory, ".waybill-unit");
}

export function startedFor(paths: AddonPaths, spec: Spec): boolean {
  return readTextIfThere(pathOf(paths), 1_024, "the note about the unit") === digestOf(spec);
}

export function noteStarted(paths: AddonPaths, spec: Spec): void {
  writeAtomic(pathOf(paths), digestOf(spec), MODE);
}

function digestOf(spec: Spec): string {
  return `${sha256Of(JSON.stringify(spec))}\n`;
}
