import { asFailure } from "../../base/failure.ts";
import { LIMITS } from "../../base/limits.ts";
import { ifThere, readEdited } from "../on-host/own-file.ts";
import { decodeOverrides, type OverrideFile } from "./override.ts";

/**
 * The overrides of this host. A missing file is none. One that somebody else could have written, or that cannot be
 * taken, is ignored with a warning: it is there for emergencies, and must become neither an escalation nor a reason
 * to stop what was pushed.
 */
export function readOverrideFile(path: string): OverrideFile {
  const what = "the override file";
  try {
    const bytes = ifThere(() => readEdited(path, LIMITS.documentBytes, what));
    return bytes === null ? { overrides: [], warnings: [] } : decodeOverrides(bytes, what);
  } catch (error) {
    const message = `what this host says itself is ignored: ${asFailure(error).message}`;
    return { overrides: [], warnings: [{ code: "override_ignored", message }] };
  }
}
