import { decode, narrowed, object, optional, string } from "../../base/decode.ts";
import { isSha256, type Sha256 } from "../../base/digest.ts";
import { parseJson } from "../../base/json.ts";
import { isSafeName } from "../names.ts";
import { readBounded, writeAtomic } from "../../host/files.ts";

/**
 * What a folder `versions/<version>` holds, in the names that the original's agent reads. A note, not a proof: the
 * bytes are hashed again wherever it matters.
 */
export type AddonRecord = {
  readonly addon_id: string;
  readonly version: string;
  readonly binary_name: string;
  readonly artifact_object_key: string;
  readonly artifact_sha256: Sha256;
  readonly artifact_signature?: string | undefined;
};

const RECORD_MODE = 0o644;
const RECORD_BYTES = 65_536;

const recordDecoder = object({
  addon_id: string(),
  version: string(),
  binary_name: string("a safe name", isSafeName),
  artifact_object_key: string(),
  artifact_sha256: narrowed("64 lower-case hex characters", isSha256),
  artifact_signature: optional(string()),
});

/** The record at `path`; null when there is none that can be read, as the bytes decide anyway. */
export function readRecord(path: string): AddonRecord | null {
  try {
    const bytes = readBounded(path, RECORD_BYTES, "record");
    const decoded = decode(recordDecoder, parseJson(bytes, { what: "the record", code: "record_mismatch" }));
    return decoded.ok ? decoded.value : null;
  } catch {
    return null;
  }
}

/** One line, atomic and durable. */
export function writeRecord(path: string, record: AddonRecord): void {
  writeAtomic(path, `${JSON.stringify(record)}\n`, RECORD_MODE);
}
