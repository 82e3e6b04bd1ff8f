import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { asFailure, Failure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { quoted } from "../../base/printable.ts";
import { errorCode, readAt, reason } from "../../host/files.ts";
import { decodeOverrides, type OverrideFile } from "./override.ts";

const WORLD_WRITES = 0o002;

/**
 * The overrides of this host. A missing file is none. One that somebody else could have written, or that cannot be
 * taken, is ignored with a warning: it is there for emergencies, and must become neither an escalation nor a reason
 * to stop what was pushed.
 */
export function readOverrideFile(path: string): OverrideFile {
  try {
    const bytes = readTrusted(path);
    return bytes === null ? { overrides: [], warnings: [] } : decodeOverrides(bytes, "the override file");
  } catch (error) {
    const message = `the override file ${quoted(path)} is ignored: ${asFailure(error).message}`;
    return { overrides: [], warnings: [{ code: "override_ignored", message }] };
  }
}

/** The bytes of the file whose owner and mode were looked at, and of no other one. */
function readTrusted(path: string): Uint8Array | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    const found = errorCode(error) === "ELOOP" ? "it is a link" : reason(error);
    throw new Failure("config_unreadable", found);
  }
  try {
    const status = fstatSync(descriptor);
    const user = process.geteuid?.();
    if (!status.isFile()) throw new Failure("config_unreadable", "it is not a regular file");
    if (user !== undefined && status.uid !== user && status.uid !== 0) {
      throw new Failure("config_unreadable", `it belongs to user ${status.uid}`);
    }
    if ((status.mode & WORLD_WRITES) !== 0) throw new Failure("config_unreadable", "everybody may write it");
    if (status.size > LIMITS.documentBytes)
      throw new Failure("config_unreadable", `it has ${status.size} bytes`);
    return readAt(descriptor, 0, status.size);
  } finally {
    closeSync(descriptor);
  }
}
