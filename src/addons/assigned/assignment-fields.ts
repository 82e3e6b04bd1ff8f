import { anything, isMap, list, object, optional, record, string, type Decoder } from "../../base/decode.ts";
import { isSha256, type Sha256 } from "../../base/digest.ts";
import { fromBase64, toHex } from "../../base/encoding.ts";
import type { JsonMap, JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";

/**
 * The members that an assignment and an override share, in the names of the wire (the original's
 * `AddonAssignmentConfig`); absent when they were not said.
 */
export type Fields = {
  version?: string;
  binary_path?: string;
  args?: readonly string[];
  capabilities?: readonly string[];
  /** With underscores, whichever spelling came. */
  delivery?: string;
  supervision?: string;
  artifact_object_key?: string;
  /** 64 lower-case hex, whichever spelling came, or "". */
  artifact_sha256?: Sha256 | "";
  artifact_signature?: string;
  /** A signed statement about the artifact, as the text of its envelope; nothing of it is believed yet. */
  artifact_statement?: string;
  target_os?: string;
  target_arch?: string;
  os_capabilities?: readonly string[];
  resources?: JsonValue;
  download_url?: string;
  download_token?: string;
  /** An artifact for each platform, for lists that serve several; those above win. */
  artifacts?: Readonly<Record<string, PlatformArtifact>>;
};

export type PlatformArtifact = {
  readonly object_key?: string;
  readonly sha256?: Sha256 | "";
  readonly signature?: string;
  readonly statement?: string;
};

/** What Linux takes as one argument, bytes: MAX_ARG_STRLEN less the zero behind it. */
const MAX_ARG_BYTES = 131_071;
const MAX_CAPABILITIES = 64;
/** It is kept in the specs, once for each version. */
const MAX_STATEMENT = 65_536;

const trimmed: Decoder<string> = (value, path, problems) => string()(value, path, problems)?.trim();

/** What no program can be started with is refused where it is assigned, and not at each start. */
const argument: Decoder<string> = string(
  `text without a zero character, of at most ${MAX_ARG_BYTES} bytes`,
  (text) => !text.includes("\u0000") && Buffer.byteLength(text) <= MAX_ARG_BYTES,
);

/** The manifest of an add-on spells its models with hyphens, the wire with underscores. */
const model: Decoder<string> = (value, path, problems) =>
  trimmed(value, path, problems)?.replaceAll("-", "_");

const WANTED_DIGEST = "64 hex characters, also with sha256: before them, or base64 of 32 bytes";

const digest: Decoder<Sha256 | ""> = (value, path, problems) => {
  const text = trimmed(value, path, problems);
  if (text === undefined || text === "") return text;
  const bare = text.replace(/^sha256:/u, "");
  const hex = bare.toLowerCase();
  if (isSha256(hex)) return hex;
  // Base64 depends on case, so it is read from the text as it came.
  const bytes = fromBase64(bare);
  const decoded = bytes?.length === 32 ? toHex(bytes) : "";
  if (isSha256(decoded)) return decoded;
  string(WANTED_DIGEST, () => false)(value, path, problems);
  return undefined;
};

/** An envelope as inline JSON, as its text, or as base64 of that. What was signed in it is base64 in any case. */
const envelope: Decoder<string> = (value, path, problems) => {
  const text = isMap(value) ? JSON.stringify(value) : trimmed(value, path, problems);
  if (text === undefined || text === "") return text;
  const bytes = fromBase64(text);
  const found = bytes === null ? text : new TextDecoder().decode(bytes);
  if (found.startsWith("{") && found.length <= MAX_STATEMENT) return found;
  problems.push(
    `${path} is no signed statement; wanted JSON of at most ${MAX_STATEMENT} characters, or base64 of it`,
  );
  return undefined;
};

const SHAPE = {
  version: optional(trimmed),
  binary_path: optional(string()),
  args: optional(list(argument, LIMITS.addonArguments)),
  capabilities: optional(list(string(), MAX_CAPABILITIES)),
  delivery: optional(model),
  supervision: optional(model),
  artifact_object_key: optional(trimmed),
  artifact_sha256: optional(digest),
  artifact_signature: optional(trimmed),
  artifact_statement: optional(envelope),
  target_os: optional(trimmed),
  target_arch: optional(trimmed),
  os_capabilities: optional(list(string(), MAX_CAPABILITIES)),
  resources: optional(anything()),
  download_url: optional(trimmed),
  download_token: optional(trimmed),
  artifacts: optional(
    record(
      object({
        object_key: optional(trimmed),
        sha256: optional(digest),
        signature: optional(trimmed),
        statement: optional(envelope),
      }),
    ),
  ),
};

/** The shared members of one entry; undefined, with every problem pushed, when one of them is malformed. */
export const fieldsOf: Decoder<Fields> = object(SHAPE);

/** Every member name that an assignment may have. */
export const FIELD_NAMES: ReadonlySet<string> = new Set([
  "addon_id",
  "enabled",
  "config_json",
  ...Object.keys(SHAPE),
]);

/** Protobuf's JSON and Go's take null for "not said", in every member. */
export function withoutNulls(map: JsonMap): JsonMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));
}
