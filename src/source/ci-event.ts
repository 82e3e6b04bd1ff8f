import { parseJson, type JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import { paths } from "../host/file-system.ts";
import { readBounded } from "../host/files.ts";

/** The document that a runner left about what started the run. A claim like any other: unreadable, it is none. */
export function readCiEvent(path: string | null): JsonValue | null {
  if (path === null || !paths().isAbsolute(path)) return null;
  try {
    const bytes = readBounded(path, LIMITS.documentBytes, "the event file");
    return parseJson(bytes, { what: "the event file", code: "input_invalid" });
  } catch {
    return null;
  }
}
