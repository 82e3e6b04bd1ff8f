import { existsSync } from "node:fs";
import { decode, object, string } from "../../base/decode.ts";
import type { Failure } from "../../base/failure.ts";
import { sha256Of } from "../../base/hashing.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { reason, writeAtomic } from "../../host/files.ts";
import { decodeAssignments, type AssignmentList } from "./assignment.ts";
import type { Layout } from "../on-host/layout.ts";
import type { Warning } from "../warning.ts";
import { ifThere, readOwn } from "../on-host/own-file.ts";
import { storageFailure } from "../on-host/storage-failure.ts";

/** An assignment may carry secrets in its configuration. */
const MODE = 0o600;
const TAG_BYTES = 8_192;

/** The list that was fetched last. */
export type Remembered = {
  readonly bytes: Uint8Array;
  readonly list: AssignmentList;
};

/** null when there is none; Failure when it cannot be read, or others could have written it. */
export function readRemembered(layout: Layout): Remembered | Failure | null {
  const what = "the remembered assignment list";
  try {
    const bytes = ifThere(() => readOwn(layout.assignments, LIMITS.documentBytes, what));
    if (bytes === null) return null;
    const source = { what: `${what} ${quoted(layout.assignments)}`, code: "file_unreadable" } as const;
    return { bytes, list: decodeAssignments(bytes, source) };
  } catch (error) {
    return storageFailure(error, layout.assignments);
  }
}

const tag = object({ url_sha256: string(), etag: string(), list_sha256: string() });

/** The entity tag that the server of `url` gave exactly these bytes; null when that is not known. */
export function tagOf({ bytes }: Remembered, url: URL, layout: Layout): string | null {
  if (!existsSync(layout.assignmentsTag)) return null;
  try {
    const text = readOwn(layout.assignmentsTag, TAG_BYTES, "the tag");
    const decoded = decode(tag, parseJson(text, { what: "the tag", code: "record_mismatch" }));
    if (!decoded.ok || decoded.value.url_sha256 !== sha256Of(url.href)) return null;
    return decoded.value.list_sha256 === sha256Of(bytes) ? decoded.value.etag : null;
  } catch {
    return null;
  }
}

/**
 * Remembers a list, and its tag when it has one. The tag names the list, so that an older one is never taken for it.
 */
export function remember(bytes: Uint8Array, etag: string | null, url: URL, layout: Layout): Warning[] {
  try {
    writeAtomic(layout.assignments, bytes, MODE);
    if (etag === null || etag.length > TAG_BYTES / 4) return [];
    const noted = { url_sha256: sha256Of(url.href), etag, list_sha256: sha256Of(bytes) };
    writeAtomic(layout.assignmentsTag, `${JSON.stringify(noted)}\n`, MODE);
    return [];
  } catch (error) {
    const message = `${quoted(layout.assignments)} cannot be written: ${reason(error)}; the next run cannot do without the server`;
    return [{ code: "cache_not_written", message }];
  }
}
