import type { Sha256 } from "../../base/digest.ts";
import type { JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Owed } from "../audit/owed-lines.ts";
import type { Assignment } from "../assigned/assignment.ts";
import type { SafeName } from "../names.ts";
import type { SignerMark } from "./signer-mark.ts";
import type { Stated } from "./stated.ts";
import { compareVersions } from "../version-order.ts";

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
  /** What its signed statement said; absent when there was none. */
  readonly stated?: Stated | undefined;
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
  /** The journal: what `current` is about to show. See `journal.ts`. */
  readonly pending: Pending | null;
  /** The newest spec of each other folder that was active, newest first: what a rollback can choose from. */
  readonly history: readonly Spec[];
  /** The highest version that was ever put in place: an older one is a downgrade. "" for none. */
  readonly highest_version: string;
  /** Artifacts that an operator rolled back from: they do not come back by themselves. */
  readonly blocked: readonly Sha256[];
  /** Set by an operator: this artifact stays, whatever is assigned. */
  readonly pinned: Pin | null;
  /** Whether a signature of this add-on was ever verified here: from then on an unsigned one is a downgrade. */
  readonly signed: boolean;
  /** The same for a statement. */
  readonly stated: boolean;
  /** How many keys had to sign it; absent while one is enough. */
  readonly signer_mark?: SignerMark | undefined;
  /** Lines that the log has not got yet, oldest first; absent for none. */
  readonly owed?: readonly Owed[] | undefined;
  /** No older version than this one is staged any more, whoever allows it: its publisher said so. "" for none. */
  readonly minimum_version: string;
};

/** A switch that has begun; `back` when an operator asked for an earlier version, `owed` what the log gets for it. */
export type Pending = {
  readonly spec: Spec;
  readonly back: boolean;
  readonly owed?: readonly Owed[] | undefined;
};

export type Pin = { readonly artifact_sha256: Sha256; readonly version: string; readonly reason: string };

export const NO_SPECS: Specs = {
  active: null,
  last_known_good: null,
  pending: null,
  history: [],
  highest_version: "",
  blocked: [],
  pinned: null,
  signed: false,
  stated: false,
  minimum_version: "",
};

/** Specs that are kept for a rollback, and artifacts that are remembered as rolled back from. */
const MAX_HISTORY = 8;
const MAX_BLOCKED = 32;
const MAX_OWED = 64;

export function specOf(
  assignment: Assignment,
  staged: Pick<Spec, "version" | "folder" | "binary_name" | "artifact_sha256" | "keyid" | "stated">,
): Spec {
  return {
    addon_id: assignment.addon_id,
    ...staged,
    supervision: assignment.supervision === "" ? "agent_sidecar" : assignment.supervision,
    args: assignment.args,
    config_json: asWritten(assignment.config_json),
    capabilities: assignment.capabilities,
    os_capabilities: assignment.os_capabilities,
    resources: asWritten(assignment.resources ?? undefined),
  };
}

/** As it is read back: JSON.stringify knows no -0, and a spec that never is the one on the disk is new at each run. */
function asWritten(value: JsonValue | undefined): JsonValue | undefined {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/**
 * What is active and what is known good after a run in which `spec` was found or put in place. A new spec is on
 * trial: the one before it stays the last known good until a later run finds the new one still in place, or, with
 * `isGated`, until a health gate says so.
 */
export function advance(specs: Specs, spec: Spec, highestVersion: string, isGated = false): Specs {
  const found = sameSpec(specs.active, spec);
  return {
    ...specs,
    active: spec,
    last_known_good: found && !isGated ? spec : (specs.last_known_good ?? (found ? null : specs.active)),
    pending: null,
    history: historyBefore(specs, spec),
    highest_version: highestVersion,
    signed: specs.signed || spec.keyid !== undefined,
    stated: specs.stated || spec.stated !== undefined,
    minimum_version: raisedFloor(specs.minimum_version, spec.stated?.minimum_version ?? ""),
  };
}

/** A floor only rises, and never to what has no place in the order: that would be no floor. */
export function raisedFloor(floor: string, said: string): string {
  const hasPlace = compareVersions(said, said) === "same";
  return hasPlace && (floor === "" || compareVersions(said, floor) === "newer") ? said : floor;
}

/**
 * The same for a spec that an operator went back to. It was good before, so it counts as known good at once; what it
 * replaces is blocked, and its version is not a mark any more that an older one must not pass.
 */
export function goBack(specs: Specs, spec: Spec): Specs {
  const left = specs.active === null ? [] : [specs.active.artifact_sha256];
  const blocked = [...left, ...specs.blocked].filter((sha256) => sha256 !== spec.artifact_sha256);
  return {
    ...specs,
    active: spec,
    last_known_good: spec,
    pending: null,
    history: historyBefore(specs, spec),
    highest_version: spec.version,
    blocked: [...new Set(blocked)].slice(0, MAX_BLOCKED),
  };
}

/** What ran before `spec`, once for each folder. */
function historyBefore({ active, history }: Specs, spec: Spec): readonly Spec[] {
  const left = active === null || active.folder === spec.folder ? [] : [active];
  const others = history.filter(({ folder }) => folder !== spec.folder && folder !== left[0]?.folder);
  // With large configurations fewer are kept: what guards against a downgrade lies in the same file.
  let room = LIMITS.documentBytes;
  return [...left, ...others]
    .slice(0, MAX_HISTORY)
    .filter((one) => (room -= Buffer.byteLength(JSON.stringify(one))) >= 0);
}

/** The distinct trusted keys that signed the bytes or the statement about them. */
export function signersOf({ keyid, stated: said }: Spec): readonly string[] {
  return [...new Set([...(keyid === undefined ? [] : [keyid]), ...(said?.signers ?? [])])];
}

/** The same with lines that the log still has to get. */
export function owing(specs: Specs, lines: readonly Owed[]): Specs {
  const { owed: _owed, ...rest } = specs;
  // A log that cannot be written for long must not fill the specs.
  return lines.length === 0 ? rest : { ...rest, owed: lines.slice(-MAX_OWED) };
}

/** The same with further ones. */
export function owingMore(specs: Specs, lines: readonly Owed[]): Specs {
  return owing(specs, [...(specs.owed ?? []), ...lines]);
}

/** Whether two specs start the same thing in the same way. */
export function sameSpec(a: Spec | null, b: Spec | null): boolean {
  return Bun.deepEquals(a, b);
}
