import { existsSync, lstatSync, readdirSync } from "node:fs";
import {
  decode,
  integer,
  list,
  narrowed,
  nullable,
  object,
  string,
  type Decoder,
} from "../../base/decode.ts";
import { isSha256 } from "../../base/digest.ts";
import { parseJson } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { writeAtomic } from "../../host/files.ts";
import type { AddonPaths } from "./layout.ts";
import { isSettled, type FileMark, type Stamp } from "./stamp.ts";
import { readOwn } from "./own-file.ts";

/** Whoever can write it could change the program as well, so it is guarded like one. */
const STAMP_MODE = 0o600;
const MAX_FILES = LIMITS.bundleEntries + 16;

const mark: Decoder<FileMark> = object({
  name: string(),
  dev: string(),
  ino: string(),
  size: string(),
  mtime_ns: string(),
  ctime_ns: string("a whole number", (text) => /^\d{1,20}$/u.test(text)),
  mode: integer(),
  uid: integer(),
});

const stamp: Decoder<Stamp> = object({
  folder: string(),
  artifact_sha256: narrowed("64 lower-case hex characters", isSha256),
  artifact_signature: string(),
  binary_name: string(),
  keyid: nullable(string()),
  taken_ms: integer(),
  files: list(mark, MAX_FILES),
});

/** The stamp of an add-on; null when there is none that can be read: it is only ever a saving. */
export function readStamp(paths: AddonPaths): Stamp | null {
  if (!existsSync(paths.stamp)) return null;
  try {
    const bytes = readOwn(paths.stamp, LIMITS.documentBytes, "the stamp");
    const decoded = decode(stamp, parseJson(bytes, { what: "the stamp", code: "record_mismatch" }));
    return decoded.ok ? decoded.value : null;
  } catch {
    return null;
  }
}

/** Notes a verification that began at `taken_ms`, when it can be relied on later. */
export function writeStamp(paths: AddonPaths, noted: Stamp): void {
  if (noted.files.length > MAX_FILES || !isSettled(noted.files, noted.taken_ms)) return;
  try {
    writeAtomic(paths.stamp, `${JSON.stringify(noted)}\n`, STAMP_MODE);
  } catch {
    // A full disk: the next run reads everything again.
  }
}

/** The marks of everything in a version folder but the record; null when a file is none or cannot be seen. */
export function marksOf(paths: AddonPaths, folder: string): FileMark[] | null {
  const directory = paths.version(folder);
  try {
    return readdirSync(directory)
      .filter((name) => name !== paths.recordName)
      .sort()
      .map((name) => markOf(`${directory}/${name}`, name));
  } catch {
    return null;
  }
}

function markOf(path: string, name: string): FileMark {
  const status = lstatSync(path, { bigint: true });
  if (!status.isFile()) throw new Error("not a file");
  return {
    name,
    dev: String(status.dev),
    ino: String(status.ino),
    size: String(status.size),
    mtime_ns: String(status.mtimeNs),
    ctime_ns: String(status.ctimeNs),
    mode: Number(status.mode),
    uid: Number(status.uid),
  };
}
