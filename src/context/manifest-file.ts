import { exactTextOf } from "../base/encoding.ts";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { quoted } from "../base/printable.ts";
import { PendingFile, readBounded, whyUnwritten } from "../host/files.ts";
import { manifestLine, parseManifest, type ManifestEntry } from "./manifest.ts";
import type { TreeItems } from "./tree-digests.ts";

/** Lines that are put together before they are written. */
const LINES = 1_000;

/** Writes the list of all files and links, in the order of the tree hash. Throws Failure `output_not_written`. */
export function writeManifest(path: string, items: TreeItems): void {
  let pending: PendingFile | null = null;
  try {
    pending = new PendingFile(path, 0o644);
    let lines: string[] = [];
    for (const item of items) {
      if (lines.push(manifestLine(item)) < LINES) continue;
      pending.write(new TextEncoder().encode(lines.join("")));
      lines = [];
    }
    pending.write(new TextEncoder().encode(lines.join("")));
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
  const text = exactTextOf(bytes);
  // With U+FFFD in place of its bytes a line would name another file.
  if (text === null) throw new Failure("input_invalid", `manifest ${quoted(path)} is not valid UTF-8`);
  return parseManifest(text, quoted(path));
}
