import { printable } from "../../base/printable.ts";
import type { Assignment } from "../assigned/assignment.ts";
import type { HostList } from "../assigned/host-list.ts";
import type { HostAddon } from "../on-host/inventory.ts";
import { signersOf, type Spec } from "../on-host/spec.ts";
import type { Stated } from "../on-host/stated.ts";
import { isExpired } from "../staging/statement-rules.ts";

/** How what an add-on has stands to what it is offered. */
export type StatusWord =
  | "current"
  | "behind"
  | "pinned"
  | "blocked"
  | "not_staged"
  | "not_assigned"
  | "unknown"
  | "disabled";

export type StatusDocument = {
  readonly addon_id: string;
  readonly state: StatusWord;
  /** What is in place; null for nothing. */
  readonly has: {
    readonly version: string;
    readonly digest: string;
    readonly folder: string;
    readonly keyid: string | null;
    /** The distinct trusted keys that signed it. */
    readonly keyids: readonly string[];
  } | null;
  /** How many keys have to sign it on this host, since so many did once. */
  readonly keys_wanted: number;
  /** What its publisher signed about what is in place; null for nothing. */
  readonly statement: { readonly expires: string | null; readonly expired: boolean } | null;
  /** What is assigned; null for nothing, or when no list is known. */
  readonly offered: {
    readonly version: string;
    readonly digest: string | null;
    readonly enabled: boolean;
  } | null;
  readonly last_known_good: string | null;
  readonly highest_version: string | null;
  readonly pinned: { readonly version: string; readonly reason: string } | null;
  readonly blocked: readonly string[];
  readonly versions: readonly string[];
};

/** Every add-on that is here or assigned. `list` is null when nothing is known to be assigned. */
export function statusOf(addons: readonly HostAddon[], list: HostList | null, now: Date): StatusDocument[] {
  const offered = new Map((list?.assignments ?? []).map((one) => [one.addon_id, one]));
  const here = addons.map((addon) => statusOfOne(addon.id, addon, offered.get(addon.id), list === null, now));
  const known = new Set<string>(addons.map(({ id }) => id));
  const missing = [...offered.values()].filter(({ addon_id: id }) => !known.has(id));
  return [...here, ...missing.map((one) => statusOfOne(one.addon_id, null, one, false, now))];
}

function statusOfOne(
  id: string,
  addon: HostAddon | null,
  offered: Assignment | undefined,
  unknown: boolean,
  now: Date,
): StatusDocument {
  const active = addon?.specs.active ?? null;
  const digest = offered === undefined || offered.artifact_sha256 === "" ? null : offered.artifact_sha256;
  const { specs } = addon ?? {};
  return {
    addon_id: printable(id),
    state: unknown ? "unknown" : stateOf(active, offered, addon),
    has: active === null ? null : hasOf(active),
    keys_wanted: specs?.signer_mark?.keys ?? 1,
    statement: active?.stated === undefined ? null : statementOf(active.stated, now),
    offered:
      offered === undefined
        ? null
        : {
            version: printable(offered.version),
            digest: digest === null ? null : `sha256:${digest}`,
            enabled: offered.enabled,
          },
    last_known_good: specs?.last_known_good?.version ?? null,
    highest_version: specs === undefined || specs.highest_version === "" ? null : specs.highest_version,
    pinned: specs?.pinned ? { version: specs.pinned.version, reason: specs.pinned.reason } : null,
    blocked: (specs?.blocked ?? []).map((sha256) => `sha256:${sha256}`),
    versions: addon?.folders.map(({ folder }) => folder) ?? [],
  };
}

function statementOf(stated: Stated, now: Date): StatusDocument["statement"] {
  return { expires: stated.expires === "" ? null : stated.expires, expired: isExpired(stated, now) };
}

function hasOf(spec: Spec): StatusDocument["has"] {
  const { version, folder, artifact_sha256: sha256, keyid } = spec;
  return { version, digest: `sha256:${sha256}`, folder, keyid: keyid ?? null, keyids: signersOf(spec) };
}

function stateOf(active: Spec | null, offered: Assignment | undefined, addon: HostAddon | null): StatusWord {
  if (offered === undefined) return "not_assigned";
  if (!offered.enabled) return "disabled";
  if (active === null) return "not_staged";
  if (active.artifact_sha256 === offered.artifact_sha256) return "current";
  if (addon?.specs.pinned?.artifact_sha256 === active.artifact_sha256) return "pinned";
  return addon?.specs.blocked.some((sha256) => sha256 === offered.artifact_sha256) === true
    ? "blocked"
    : "behind";
}

export function describeStatus(all: readonly StatusDocument[]): string {
  return all
    .map(({ addon_id, state, has, offered, keys_wanted: wanted }) => {
      const [mine, theirs] = [has?.version ?? "nothing", offered?.version ?? "nothing"];
      const signed = has === null || wanted === 1 ? "" : `, ${has.keyids.length} of ${wanted} keys signed`;
      return `${addon_id}: has ${mine}, offered ${theirs}: ${state}${signed}\n`;
    })
    .join("");
}
