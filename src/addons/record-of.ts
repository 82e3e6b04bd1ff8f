import type { Wanted } from "./ask.ts";
import { notedKey } from "./noted-key.ts";
import type { AddonRecord } from "./record.ts";

/** The note for what an assignment asks for. */
export function recordOf(wanted: Wanted): AddonRecord {
  return {
    addon_id: wanted.id,
    version: wanted.version,
    binary_name: wanted.binaryName,
    artifact_object_key: notedKey(wanted.objectKey),
    artifact_sha256: wanted.sha256,
    ...(wanted.signature === null ? {} : { artifact_signature: wanted.assignment.artifact_signature }),
  };
}
