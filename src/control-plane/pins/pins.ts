import { attestationsOf } from "../attestations/attestations.ts";
import type { Database, Sql } from "../storage/database.ts";
import { ifMatchHolds } from "../http/etag.ts";
import { recordChange, type By } from "../events/events.ts";
import { refuseStopped, stopsOf, type Stop } from "./pin-stops.ts";
import type { Promotion } from "./promotion.ts";
import { provenBy, type PolicyProof, type TrustPolicy } from "./trust-policy.ts";
import { WireRefusal } from "../http/wire.ts";

/** A pin as it is on the wire. Members that were not given are absent. */
export type Pin = {
  readonly template_name: string;
  readonly region: string;
  readonly image_digest: string;
  readonly git_sha?: string;
  readonly notes?: string;
  readonly seq?: number;
  readonly promoted_at: string;
  readonly promoted_by: string;
};

/** A pin with the number of the event that wrote it. */
export type VersionedPin = { readonly pin: Pin; readonly version: number };

/** What must still be so when the write comes. */
export type Condition =
  | { readonly kind: "none" }
  | { readonly kind: "absent" }
  | { readonly kind: "version"; readonly ifMatch: string };

type Row = {
  readonly template_name: string;
  readonly region: string;
  readonly image_digest: string;
  readonly git_sha: string | null;
  readonly notes: string | null;
  readonly promoted_at: string;
  readonly promoted_by: string;
  readonly version: number;
  readonly seq: number | null;
};

const COLUMNS = "template_name, region, image_digest, git_sha, notes, promoted_at, promoted_by, version, seq";

function fromRow({ git_sha, notes, seq, version, ...row }: Row): VersionedPin {
  const pin = {
    ...row,
    ...(git_sha === null ? {} : { git_sha }),
    ...(notes === null ? {} : { notes }),
    ...(seq === null ? {} : { seq }),
  };
  return { pin, version };
}

export function etagOf({ version }: VersionedPin): string {
  return `"${version}"`;
}

export async function findPin(
  sql: Sql,
  env: string,
  template: string,
  region: string,
): Promise<VersionedPin | null> {
  const [row] = await sql.rows<Row>(
    `SELECT ${COLUMNS} FROM pins WHERE env = $1 AND template_name = $2 AND region = $3`,
    env,
    template,
    region,
  );
  return row === undefined ? null : fromRow(row);
}

/**
 * Puts the pin of (env, template, region) in place of the one before. Without a condition the last writer wins, as
 * it always did. `enforced` is what the digest has to satisfy, null for nothing. Throws WireRefusal: a stop,
 * `stale_version`, `older_build` or `policy_denied`.
 */
export async function writePin(
  sql: Sql,
  env: string,
  promotion: Promotion,
  condition: Condition,
  by: By,
  enforced: TrustPolicy | null,
): Promise<VersionedPin> {
  const { template_name, region, image_digest, git_sha, notes, force } = promotion;
  const before = await findPin(sql, env, template_name, region);
  if (force?.breakGlass !== true) await refuseStopped(sql, env, promotion);
  refuseStale(before, condition);
  const mark = before?.pin.seq ?? null;
  if (promotion.seq !== undefined && mark !== null && promotion.seq < mark && force?.rollback !== true) {
    const text = `build ${promotion.seq} is older than build ${mark}, which was promoted here`;
    throw new WireRefusal("older_build", text, {}, currentOf(before));
  }
  const proof = force?.breakGlass === true ? null : await prove(sql, env, promotion, by, enforced);
  // The mark never goes down: after a rollback the builds between are still older than what was here.
  const seq = promotion.seq === undefined ? mark : Math.max(promotion.seq, mark ?? 0);
  const pin: Pin = {
    template_name,
    region,
    image_digest,
    ...(git_sha === undefined ? {} : { git_sha }),
    ...(notes === undefined ? {} : { notes }),
    ...(seq === null ? {} : { seq }),
    promoted_at: by.at,
    promoted_by: by.actor,
  };
  const version = await recordChange(sql, by, {
    action:
      force?.breakGlass === true
        ? "pin.break_glass"
        : force?.rollback === true
          ? "pin.rollback"
          : "pin.promote",
    subject: `${template_name}/${region}`,
    before: before?.pin ?? null,
    after: { ...pin, ...proof },
    ...(force === undefined ? {} : { reason: force.reason }),
  });
  await sql.run(
    `INSERT INTO pins (env, ${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (env, template_name, region) DO UPDATE SET image_digest = excluded.image_digest,
       git_sha = excluded.git_sha, notes = excluded.notes, promoted_at = excluded.promoted_at,
       promoted_by = excluded.promoted_by, version = excluded.version, seq = excluded.seq`,
    env,
    template_name,
    region,
    image_digest,
    git_sha ?? null,
    notes ?? null,
    by.at,
    by.actor,
    version,
    seq,
  );
  return { pin, version };
}

/** Inside the write, so that what is pinned is what was judged, also after a rollback chose the digest. */
async function prove(
  sql: Sql,
  env: string,
  promotion: Promotion,
  by: By,
  enforced: TrustPolicy | null,
): Promise<PolicyProof | null> {
  if (enforced === null) return null;
  const kept = await attestationsOf(sql, env, promotion.image_digest.slice("sha256:".length));
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

/** The pin of (env, template, region), or null, and what stands against changing it. */
export async function showPin(
  database: Database,
  env: string,
  template: string,
  region: string,
): Promise<{ readonly found: VersionedPin | null; readonly stops: Stop[] }> {
  // Two reads may straddle a change; that is why the write judges both again.
  return database.read(async (sql) => ({
    found: await findPin(sql, env, template, region),
    stops: await stopsOf(sql, env, template, region),
  }));
}

/** Every pin of an environment, by template and then region. */
export async function listPins(database: Database, env: string): Promise<VersionedPin[]> {
  const rows = await database.read((sql) =>
    sql.rows<Row>(`SELECT ${COLUMNS} FROM pins WHERE env = $1 ORDER BY template_name, region`, env),
  );
  return rows.map(fromRow);
}
