import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../base/failure.ts";
import { Hasher } from "../../base/hashing.ts";
import { quoted } from "../../base/printable.ts";
import { PendingFile, whyUnwritten } from "../../host/files.ts";
import { ArtifactFile } from "../../trust/artifact-file.ts";
import { retainedName } from "../bundle/bundle-format.ts";
import { INDEX_NAME } from "./export-file.ts";
import type { HostAddon } from "../on-host/inventory.ts";
import type { Platform } from "../assigned/platform.ts";
import type { Spec } from "../on-host/spec.ts";
import { writeTarHeader, paddingOf } from "../bundle/tar-writer.ts";

/** It holds configurations, which may hold secrets. */
const EXPORT_MODE = 0o600;
const BUNDLE_NAMES: readonly string[] = (["gzip", "zstd"] as const).map(retainedName);

export type Exported = {
  readonly addonId: string;
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
};

type Part = { readonly addon: HostAddon; readonly spec: Spec; readonly path: string; readonly key: string };

/**
 * Writes what these add-ons run into one file: their assignments, and the artifacts that were verified when they were
 * staged, which are hashed again on the way. Throws Failure; no file is left then.
 */
export async function exportAddons(
  addons: readonly HostAddon[],
  platform: Platform,
  out: string,
  stop: AbortSignal,
): Promise<Exported[]> {
  const parts = addons.flatMap((addon) => partOf(addon));
  if (parts.length === 0) throw new Failure("nothing_checked", "none of these add-ons has anything in place");
  const file = newExport(out);
  try {
    const index = { schema: "waybill.addon-export/v1", addons: parts.map((part) => entryOf(part, platform)) };
    const bytes = new TextEncoder().encode(`${JSON.stringify(index)}\n`);
    file.write(writeTarHeader(INDEX_NAME, bytes.length));
    file.write(bytes);
    file.write(paddingOf(bytes.length));
    const exported: Exported[] = [];
    const written = new Set<string>();
    for (const part of parts) {
      const size = await writeArtifact(part, file, written, stop);
      exported.push({
        addonId: part.addon.id,
        version: part.spec.version,
        sha256: part.spec.artifact_sha256,
        bytes: size,
      });
    }
    file.write(new Uint8Array(1024));
    file.commit();
    return exported;
  } finally {
    file.discard();
  }
}

/** Not the root's fault: what is told of its disk would be about another place. */
function newExport(out: string): PendingFile {
  try {
    return new PendingFile(out, EXPORT_MODE);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      "output_not_written",
      `--out ${quoted(out)} cannot be written: ${whyUnwritten(error)}`,
      {
        cause: error,
      },
    );
  }
}

function partOf(addon: HostAddon): Part[] {
  const spec = addon.specs.active;
  if (spec === null) return [];
  const folder = addon.paths.version(spec.folder);
  // A program by itself is its own artifact: the copy beside it may be damaged, and is no part of what runs.
  const name = BUNDLE_NAMES.find((one) => existsSync(join(folder, one))) ?? spec.binary_name;
  return [{ addon, spec, path: join(folder, name), key: `${spec.artifact_sha256}.bin` }];
}

function entryOf({ addon, spec, key }: Part, platform: Platform): Record<string, unknown> {
  const record = addon.folders.find(({ folder }) => folder === spec.folder)?.record;
  return {
    addon_id: spec.addon_id,
    version: spec.version,
    enabled: true,
    binary_path: spec.binary_name,
    args: spec.args,
    config_json: spec.config_json,
    capabilities: spec.capabilities,
    os_capabilities: spec.os_capabilities,
    resources: spec.resources,
    supervision: spec.supervision,
    delivery: "pushed_artifact",
    artifact_object_key: key,
    artifact_sha256: spec.artifact_sha256,
    artifact_signature: record?.artifact_signature ?? "",
    artifact_statement: spec.stated?.envelope ?? "",
    target_os: platform.os,
    target_arch: platform.arch,
  };
}

/** Two add-ons may be of one artifact, which is then there once. */
async function writeArtifact(
  part: Part,
  file: PendingFile,
  written: Set<string>,
  stop: AbortSignal,
): Promise<number> {
  const artifact = new ArtifactFile(part.path);
  try {
    if (written.has(part.key)) return artifact.size;
    written.add(part.key);
    file.write(writeTarHeader(part.key, artifact.size));
    const hasher = new Hasher();
    for await (const chunk of artifact.chunks(stop)) {
      hasher.update(chunk);
      file.write(chunk);
    }
    file.write(paddingOf(artifact.size));
    if (hasher.digest() === part.spec.artifact_sha256) return artifact.size;
    throw new Failure(
      "hash_mismatch",
      `the artifact of add-on ${quoted(part.addon.id)} is not what was verified`,
      {
        hint: "make it whole with: waybill addon fsck --repair, or stage it again",
      },
    );
  } finally {
    artifact.close();
  }
}
