import { attestationsOf } from "../attestations/attestations.ts";
import type { Database, Sql, WriteSql } from "../storage/database.ts";
import { PutTable } from "../storage/put-rows.ts";
import { Noted } from "../storage/write-memory.ts";
import { ifMatchHolds } from "../http/etag.ts";
import { recordTexts, type By } from "../events/events.ts";
import { isUnstopped, refuseStopped, stopsOf, type Stop } from "./pin-stops.ts";
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

/** A pin as writes know it: with its JSON, which is made once for the answer, the record, and the record of the next. */
export type WrittenPin = VersionedPin & { readonly json: string };

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

const PINS = new PutTable(
  `INSERT INTO pins (env, ${COLUMNS}) VALUES`,
  10,
  `ON CONFLICT (env, template_name, region) DO UPDATE SET image_digest = excluded.image_digest,
     git_sha = excluded.git_sha, notes = excluded.notes, promoted_at = excluded.promoted_at,
     promoted_by = excluded.promoted_by, version = excluded.version, seq = excluded.seq`,
);

/** Null is a pin that is not there. */
const CURRENT = new Noted<WrittenPin | null>();

/** With the members in this order, whoever makes it: its JSON is a part of the record. */
function pinOf({ git_sha, notes, seq, ...row }: Omit<Row, "version">): Pin {
  return {
    template_name: row.template_name,
    region: row.region,
    image_digest: row.image_digest,
    ...(git_sha === null ? {} : { git_sha }),
    ...(notes === null ? {} : { notes }),
    ...(seq === null ? {} : { seq }),
    promoted_at: row.promoted_at,
    promoted_by: row.promoted_by,
  };
}

function fromRow(row: Row): VersionedPin {
  return { pin: pinOf(row), version: row.version };
}

export function etagOf({ version }: VersionedPin): string {
  return `"${version}"`;
}

export async function findPin(
  { rows }: Pick<Sql, "rows">,
  env: string,
  template: string,
  region: string,
): Promise<VersionedPin | null> {
  const [row] = await rows<Row>(
    `SELECT ${COLUMNS} FROM pins WHERE env = $1 AND template_name = $2 AND region = $3`,
    env,
    template,
    region,
  );
  return row === undefined ? null : fromRow(row);
}

/** What was put is noted, so what is not noted is in the table. */
async function readCurrent(
  { peek }: WriteSql,
  env: string,
  { template_name, region }: Promotion,
): Promise<WrittenPin | null> {
  const found = await findPin({ rows: peek }, env, template_name, region);
  return found === null ? null : { ...found, json: JSON.stringify(found.pin) };
}

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
  const place = `${env}/${template_name}/${region}`;
  const noted = CURRENT.get(sql.memory, place);
  const before = noted === undefined ? await readCurrent(sql, env, promotion) : noted;
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
  const version = recordTexts(sql, by, {
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
  });
  sql.put(PINS, place, [
    env,
    template_name,
    region,
    image_digest,
    git_sha,
    notes,
    by.at,
    by.actor,
    version,
    seq,
  ]);
  const written = { pin, version, json };
  CURRENT.set(sql.memory, place, written);
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
