import { isMap } from "../../base/decode.ts";
import type { JsonMap, JsonValue } from "../../base/json.ts";
import { WireRefusal } from "../http/wire.ts";

/** What add-on documents have in common: names that become folders on a host, arguments, platforms. */

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/u;
const HOST = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/u;
const PLATFORM = /^[a-z0-9]{1,32}\/[a-z0-9_]{1,32}$/u;
const MAX_ARGS = 256;
const MAX_ARG_CHARS = 4_096;

export function refusedField(message: string): WireRefusal {
  return new WireRefusal("invalid_field", message);
}

/** A name that is one path segment wherever a host puts it: it begins with a letter or digit and has no slash. */
export function isSegment(text: string): boolean {
  return SEGMENT.test(text);
}

export function isHostName(text: string): boolean {
  return HOST.test(text);
}

/** `os/arch` as Go spells them: `linux/amd64`. */
export function isPlatform(text: string): boolean {
  return PLATFORM.test(text);
}

export function requireMap(body: JsonValue): JsonMap {
  if (!isMap(body)) throw new WireRefusal("invalid_json", "the body must be a JSON object");
  return body;
}

export function requireSegment(body: JsonMap, name: string): string {
  const value = body[name] ?? "";
  if (value === "") throw refusedField(`${name} is required`);
  if (typeof value !== "string" || !isSegment(value)) {
    throw refusedField(`${name} must match ^[A-Za-z0-9][A-Za-z0-9._+-]*$ and have at most 128 chars`);
  }
  return value;
}

/** The program arguments, or null when the member is absent. */
export function readArgs(body: JsonMap): readonly string[] | null {
  return readTexts(
    body,
    "args",
    (text) => text.length <= MAX_ARG_CHARS && !text.includes("\0"),
    `strings of at most ${MAX_ARG_CHARS} chars`,
  );
}

export function readTexts(
  body: JsonMap,
  name: string,
  accept: (text: string) => boolean,
  wanted: string,
): readonly string[] | null {
  const value = body[name] ?? null;
  if (value === null) return null;
  if (!Array.isArray(value) || value.length > MAX_ARGS) {
    throw refusedField(`${name} must be a list of at most ${MAX_ARGS} entries`);
  }
  return value.map((entry: JsonValue) => {
    if (typeof entry !== "string" || !accept(entry)) throw refusedField(`${name} must hold ${wanted}`);
    return entry;
  });
}

/** The configuration object, or null when the member is absent. */
export function readConfig(body: JsonMap): JsonMap | null {
  const value = body["config_json"] ?? null;
  if (value !== null && !isMap(value)) throw refusedField("config_json must be an object");
  return value;
}
