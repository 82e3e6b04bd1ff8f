import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { PendingFile, readBounded, whyUnwritten } from "../host/files.ts";
import { manifestLine, parseManifest, type ManifestEntry } from "./manifest.ts";
import type { TreeItem } from "./tree-digests.ts";

/** Lines that are put together before they are written. */
const LINES = 1_000;

/** Writes the list of all files and links, in the order of the tree hash. Throws Failure `output_not_written`. */
export function writeManifest(path: string, items: readonly TreeItem[]): void {
  let pending: PendingFile | null = null;
  try {
    pending = new PendingFile(path, 0o644);
    for (let at = 0; at < items.length; at += LINES) {
      const lines = items.slice(at, at + LINES).map(manifestLine);
      pending.write(new TextEncoder().encode(lines.join("")));
    }
    pending.commit();
  } catch (cause) {
    throw new Failure(
      "output_not_written",
      `the manifest ${quoted(path)} cannot be written: ${whyUnwritten(cause)}`,
      { hint: "name a file in a folder that exists and has room; nothing was left behind", cause },
    );
  } finally {
    pending?.discard();
  }
}

/** Throws Failure `input_invalid` and `file_unreadable`. */
export function readManifest(path: string): ManifestEntry[] {
  const bytes = readBounded(path, LIMITS.manifestBytes, "manifest");
  return parseManifest(new TextDecoder().decode(bytes), quoted(path));
}
