import {
  anything,
  boolean,
  decode,
  list,
  narrowed,
  object,
  optional,
  string,
  type Decoder,
  nullable,
} from "../base/decode.ts";
import { isSha256, type Sha256 } from "../base/digest.ts";
import type { JsonValue } from "../base/json.ts";
import { LIMITS } from "../base/limits.ts";
import type { Assignment } from "./assignment.ts";
import { isSafeName, type SafeName } from "./names.ts";

/** Everything that one start of an add-on needs, as one unit: an old binary never runs with a new configuration. */
export type Spec = {
  readonly addon_id: string;
  readonly version: string;
  /** Under `versions/`. */
  readonly folder: SafeName;
  readonly binary_name: string;
  readonly artifact_sha256: Sha256;
  /** The key whose signature over the bytes was checked; absent when there was none. */
  readonly keyid?: string | undefined;
  readonly supervision: string;
  readonly args: readonly string[];
  readonly config_json?: JsonValue | undefined;
  readonly capabilities: readonly string[];
  readonly os_capabilities: readonly string[];
  readonly resources?: JsonValue | undefined;
};

export type Specs = {
  /** What `current` shall show. */
  readonly active: Spec | null;
  /** What to fall back on when the bytes of `active` are gone or wrong. */
  readonly last_known_good: Spec | null;
  /** Whether a signature of this add-on was ever verified here: from then on an unsigned one is a downgrade. */
  readonly signed: boolean;
};

export const NO_SPECS: Specs = { active: null, last_known_good: null, signed: false };

export function specOf(
  assignment: Assignment,
  staged: Pick<Spec, "version" | "folder" | "binary_name" | "artifact_sha256" | "keyid">,
): Spec {
  return {
    addon_id: assignment.addon_id,
    ...staged,
    supervision: assignment.supervision === "" ? "agent_sidecar" : assignment.supervision,
    args: assignment.args,
    config_json: assignment.config_json,
    capabilities: assignment.capabilities,
    os_capabilities: assignment.os_capabilities,
    resources: assignment.resources ?? undefined,
  };
}

/**
 * What is active and what is known good after a run in which `spec` was found or put in place. A new spec is on
 * trial: the one before it stays the last known good until a later run finds the new one still in place.
 */
export function advance(specs: Specs, spec: Spec): Specs {
  const signed = specs.signed || spec.keyid !== undefined;
  if (sameSpec(specs.active, spec)) return { active: spec, last_known_good: spec, signed };
  return { active: spec, last_known_good: specs.last_known_good ?? specs.active, signed };
}

/** Whether two specs start the same thing in the same way. */
export function sameSpec(a: Spec | null, b: Spec | null): boolean {
  return Bun.deepEquals(a, b);
}

const SCHEMA = "waybill.addon-specs/v1";

const spec: Decoder<Spec> = object({
  addon_id: string(),
  version: string(),
  folder: narrowed("a safe name", isSafeName),
  binary_name: string("a safe name", isSafeName),
  artifact_sha256: narrowed("64 lower-case hex characters", isSha256),
  keyid: optional(string()),
  supervision: string(),
  args: list(string(), LIMITS.assignments),
  config_json: optional(anything()),
  capabilities: list(string(), LIMITS.assignments),
  os_capabilities: list(string(), LIMITS.assignments),
  resources: optional(anything()),
});

const specs: Decoder<Specs> = object({
  schema: string(SCHEMA, (text) => text === SCHEMA),
  active: nullable(spec),
  last_known_good: nullable(spec),
  signed: boolean(),
});

export function encodeSpecs({ active, last_known_good, signed }: Specs): string {
  return `${JSON.stringify({ schema: SCHEMA, active, last_known_good, signed })}\n`;
}

/** The specs of a document, or what is wrong with it. */
export function decodeSpecs(
  document: JsonValue,
): { ok: true; value: Specs } | { ok: false; problems: string[] } {
  return decode(specs, document);
}
