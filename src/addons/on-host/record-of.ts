import type { Wanted } from "../assigned/ask.ts";
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

/** An object key for notes on disk: the query of a presigned URL is a credential. */
export function notedKey(key: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//iu.test(key) ? key.replace(/[?#].*/su, "") : key;
}
