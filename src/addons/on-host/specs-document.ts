import {
  anything,
  boolean,
  decode,
  isMap,
  list,
  narrowed,
  nullable,
  object,
  optional,
  string,
  type Decoder,
} from "../../base/decode.ts";
import { isSha256 } from "../../base/digest.ts";
import type { JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { owedLine } from "../audit/owed-lines.ts";
import { isSafeName } from "../names.ts";
import { signerMark } from "./signer-mark.ts";
import type { Pin, Spec, Specs } from "./spec.ts";
import { stated } from "./stated.ts";

const SCHEMA = "waybill.addon-specs/v1";
/** Entries of a list that is read back, whichever build wrote it. */
const MOST_READ = 1_000;

const spec: Decoder<Spec> = object({
  addon_id: string(),
  version: string(),
  folder: narrowed("a safe name", isSafeName),
  binary_name: string("a safe name", isSafeName),
  artifact_sha256: narrowed("64 lower-case hex characters", isSha256),
  keyid: optional(string()),
  stated: optional(stated),
  supervision: string(),
  args: list(string(), LIMITS.addonArguments),
  config_json: optional(anything()),
  capabilities: list(string(), MOST_READ),
  os_capabilities: list(string(), MOST_READ),
  resources: optional(anything()),
});

const pin: Decoder<Pin> = object({
  artifact_sha256: narrowed("64 lower-case hex characters", isSha256),
  version: string(),
  reason: string(),
});

const lines = list(owedLine, MOST_READ);

const specs: Decoder<Specs> = object({
  schema: string(SCHEMA, (text) => text === SCHEMA),
  active: nullable(spec),
  last_known_good: nullable(spec),
  pending: otherwise(nullable(object({ spec, back: boolean(), owed: optional(lines) })), null),
  history: otherwise(list(spec, MOST_READ), []),
  highest_version: otherwise(string(), ""),
  blocked: otherwise(list(narrowed("64 lower-case hex characters", isSha256), MOST_READ), []),
  pinned: otherwise(nullable(pin), null),
  signed: boolean(),
  stated: otherwise(boolean(), false),
  signer_mark: optional(signerMark),
  owed: optional(lines),
  minimum_version: otherwise(string(), ""),
});

/** For members that documents of earlier builds have not. */
function otherwise<T>(decoder: Decoder<T>, absent: T): Decoder<T> {
  return (value, path, problems) => (value === undefined ? absent : decoder(value, path, problems));
}

export function encodeSpecs(value: Specs): string {
  return `${JSON.stringify({ schema: SCHEMA, ...value })}\n`;
}

/**
 * The schema of a document of ours that this build does not know; null for one that it may read, or is none of ours.
 */
export function newerSchema(document: JsonValue): string | null {
  const schema = isMap(document) ? document["schema"] : undefined;
  const isOurs = typeof schema === "string" && schema.startsWith("waybill.addon-specs/");
  return isOurs && schema !== SCHEMA ? schema : null;
}

/** The specs of a document, or what is wrong with it. */
export function decodeSpecs(
  document: JsonValue,
): { ok: true; value: Specs } | { ok: false; problems: string[] } {
  return decode(specs, document);
}
