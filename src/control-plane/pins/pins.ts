import { attestationsOf } from "../attestations/attestations.ts";
import type { Database, WriteSql } from "../storage/database.ts";
import { ifMatchHolds } from "../http/etag.ts";
import { recordTexts, type By } from "../events/events.ts";
import { isUnstopped, refuseStopped } from "./pin-stops.ts";
import {
  COLUMNS,
  currentPin,
  etagOf,
  fromRow,
  notedPin,
  pinOf,
  putPin,
  type Pin,
  type Row,
  type VersionedPin,
  type WrittenPin,
} from "./pin-rows.ts";
import type { Promotion } from "./promotion.ts";
import { provenBy, type PolicyProof, type TrustPolicy } from "./trust-policy.ts";
import { WireRefusal } from "../http/wire.ts";

/** What must still be so when the write comes. */
export type Condition =
  | { readonly kind: "none" }
  | { readonly kind: "absent" }
  | { readonly kind: "version"; readonly ifMatch: string };

/**
 * Puts the pin of (env, template, region) in place of the one before. Without a condition the last writer wins, as
 * it always did. `enforced` is what the digest has to satisfy, null for nothing. Throws WireRefusal: a stop,
 * `stale_version`, `older_build` or `policy_denied`.
 */
export async function writePin(
  sql: WriteSql,
  env: string,
  promotion: Promotion,
  condition: Condition,
  by: By,
  enforced: TrustPolicy | null,
): Promise<WrittenPin> {
  const { template_name, region, image_digest, git_sha = null, notes = null, force } = promotion;
  const noted = notedPin(sql, env, promotion);
  const before = noted === undefined ? await currentPin(sql, env, promotion) : noted;
  if (force?.breakGlass !== true && !isUnstopped(sql, env)) await refuseStopped(sql, env, promotion);
  refuseStale(before, condition);
  const mark = before?.pin.seq ?? null;
  if (promotion.seq !== undefined && mark !== null && promotion.seq < mark && force?.rollback !== true) {
    const text = `build ${promotion.seq} is older than build ${mark}, which was promoted here`;
    throw new WireRefusal("older_build", text, {}, currentOf(before));
  }
  const proof =
    force?.breakGlass === true || enforced === null ? null : await prove(sql, env, promotion, by, enforced);
  // The mark never goes down: after a rollback the builds between are still older than what was here.
  const seq = promotion.seq === undefined ? mark : Math.max(promotion.seq, mark ?? 0);
  const set = { template_name, region, image_digest, git_sha, notes, seq };
  const pin = pinOf({ ...set, promoted_at: by.at, promoted_by: by.actor });
  const json = JSON.stringify(pin);
  const change = {
    action:
      force?.breakGlass === true
        ? "pin.break_glass"
        : force?.rollback === true
          ? "pin.rollback"
          : "pin.promote",
    subject: `${template_name}/${region}`,
    before: before?.json ?? null,
    after: proof === null ? json : JSON.stringify({ ...pin, ...proof }),
    ...(force === undefined ? {} : { reason: force.reason }),
  };
  const version = recordTexts(sql, by, change, before?.lastEvent ?? null);
  const written = { pin, version, json, lastEvent: version };
  putPin(sql, env, written);
  return written;
}

/** Inside the write, so that what is pinned is what was judged, also after a rollback chose the digest. */
async function prove(
  sql: WriteSql,
  env: string,
  promotion: Promotion,
  by: By,
  enforced: TrustPolicy,
): Promise<PolicyProof> {
  const kept = await attestationsOf({ rows: sql.peek }, env, promotion.image_digest.slice("sha256:".length));
  return provenBy(enforced, env, promotion, kept, new Date(by.at));
}

function refuseStale(before: VersionedPin | null, condition: Condition): void {
  const etag = before === null ? null : etagOf(before);
  const holds =
    condition.kind === "none" ||
    (condition.kind === "absent" ? before === null : ifMatchHolds(condition.ifMatch, etag));
  if (holds) return;
  const text = before === null ? "there is no such pin" : "the pin was changed since it was read";
  throw new WireRefusal("stale_version", text, etag === null ? {} : { etag }, currentOf(before));
}

function currentOf(before: VersionedPin | null): { readonly current: (Pin & { version: number }) | null } {
  return { current: before === null ? null : { ...before.pin, version: before.version } };
}

/** Every pin of an environment, by template and then region. */
export async function listPins(database: Database, env: string): Promise<VersionedPin[]> {
  const rows = await database.read((sql) =>
    sql.rows<Row>(`SELECT ${COLUMNS} FROM pins WHERE env = $1 ORDER BY template_name, region`, env),
  );
  return rows.map(fromRow);
}
