import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AddonPaths } from "../on-host/layout.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { readBounded } from "../../host/files.ts";
import { decodeManifest, MANIFEST_NAME, NO_MANIFEST, type Manifest } from "./manifest.ts";

/** The manifest of a version, once its bytes were read and found right. Throws Failure `manifest_invalid`. */
export function readManifest(paths: AddonPaths, folder: string): Manifest {
  const path = join(paths.version(folder), MANIFEST_NAME);
  if (!existsSync(path)) return NO_MANIFEST;
  const bytes = readBounded(path, LIMITS.bundleTextBytes, "the manifest");
  return decodeManifest(parseJson(bytes, { what: "the manifest", code: "manifest_invalid" }));
}
