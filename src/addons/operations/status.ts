import type { Sha256 } from "../../base/digest.ts";
import { printable } from "../../base/printable.ts";
import { askOf } from "../assigned/ask.ts";
import type { Assignment } from "../assigned/assignment.ts";
import type { HostList } from "../assigned/host-list.ts";
import type { Platform } from "../assigned/platform.ts";
import type { HostAddon } from "../on-host/inventory.ts";
import type { Layout } from "../on-host/layout.ts";
import { signersOf, type Spec, type Specs } from "../on-host/spec.ts";
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

/** What is assigned to this host of one add-on. */
type Offer = {
  readonly assignment: Assignment;
  /** Of the artifact for this platform; null for none, and for one that would be refused. */
  readonly sha256: Sha256 | null;
};

/** Every add-on that is here or assigned. `list` is null when nothing is known to be assigned. */
export function statusOf(
  addons: readonly HostAddon[],
  list: HostList | null,
  platform: Platform,
  layout: Layout,
  now: Date,
): StatusDocument[] {
  const offers = (list?.assignments ?? []).map(
    (one) => [one.addon_id, offerOf(one, platform, layout)] as const,
  );
  const offered = new Map(offers);
  const here = addons.map((addon) => statusOfOne(addon.id, addon, offered.get(addon.id), list === null, now));
  const known = new Set<string>(addons.map(({ id }) => id));
  const missing = offers.filter(([id]) => !known.has(id));
  return [...here, ...missing.map(([id, offer]) => statusOfOne(id, null, offer, false, now))];
}

/** Also of one that is disabled: that is what it would be. */
function offerOf(assignment: Assignment, platform: Platform, layout: Layout): Offer {
  const ask = askOf({ ...assignment, enabled: true }, platform, layout);
  return { assignment, sha256: ask.kind === "artifact" ? ask.wanted.sha256 : null };
}

function statusOfOne(
  id: string,
  addon: HostAddon | null,
  offer: Offer | undefined,
  unknown: boolean,
  now: Date,
): StatusDocument {
  const active = addon?.specs.active ?? null;
  const { specs } = addon ?? {};
  return {
    addon_id: printable(id),
    state: unknown ? "unknown" : stateOf(addon?.specs ?? null, offer),
    has: active === null ? null : hasOf(active),
    keys_wanted: specs?.signer_mark?.keys ?? 1,
    statement: active?.stated === undefined ? null : statementOf(active.stated, now),
    offered: offer === undefined ? null : offeredOf(offer),
    last_known_good: specs?.last_known_good?.version ?? null,
    highest_version: specs === undefined || specs.highest_version === "" ? null : specs.highest_version,
    pinned: specs?.pinned ? { version: specs.pinned.version, reason: specs.pinned.reason } : null,
    blocked: (specs?.blocked ?? []).map((sha256) => `sha256:${sha256}`),
    versions: addon?.folders.map(({ folder }) => folder) ?? [],
  };
}

function offeredOf({ assignment: { version, enabled }, sha256 }: Offer): StatusDocument["offered"] {
  return { version: printable(version), digest: sha256 === null ? null : `sha256:${sha256}`, enabled };
}

function statementOf(stated: Stated, now: Date): StatusDocument["statement"] {
  return { expires: stated.expires === "" ? null : stated.expires, expired: isExpired(stated, now) };
}

function hasOf(spec: Spec): StatusDocument["has"] {
  const { version, folder, artifact_sha256: sha256, keyid } = spec;
  return { version, digest: `sha256:${sha256}`, folder, keyid: keyid ?? null, keyids: signersOf(spec) };
}

function stateOf(specs: Specs | null, offer: Offer | undefined): StatusWord {
  if (offer === undefined) return "not_assigned";
  if (!offer.assignment.enabled) return "disabled";
  if (specs === null || specs.active === null) return "not_staged";
  const { active, pinned, blocked } = specs;
  if (active.artifact_sha256 === offer.sha256) return "current";
  if (pinned?.artifact_sha256 === active.artifact_sha256) return "pinned";
  return blocked.some((sha256) => sha256 === offer.sha256) ? "blocked" : "behind";
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
