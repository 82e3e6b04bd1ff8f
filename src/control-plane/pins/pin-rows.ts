import type { Sql, WriteSql } from "../storage/database.ts";
import { PutTable } from "../storage/put-rows.ts";
import { Noted } from "../storage/write-memory.ts";
import type { PinPlace } from "./promotion.ts";

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

/** A pin as writes know it. */
export type WrittenPin = VersionedPin & {
  /** Made once for the answer, the record, and the record of the next one. */
  readonly json: string;
  /** The last event about it, see pin-events.ts; null when it was written before there was such a number. */
  readonly lastEvent: number | null;
};

export type Row = {
  readonly template_name: string;
  readonly region: string;
  readonly image_digest: string;
  readonly git_sha: string | null;
  readonly notes: string | null;
  readonly promoted_at: string;
  readonly promoted_by: string;
  readonly version: number;
  readonly seq: number | null;
  readonly last_event: number | null;
};

export const COLUMNS =
  "template_name, region, image_digest, git_sha, notes, promoted_at, promoted_by, version, seq, last_event";

const PINS = new PutTable(
  `INSERT INTO pins (env, ${COLUMNS}) VALUES`,
  11,
  `ON CONFLICT (env, template_name, region) DO UPDATE SET image_digest = excluded.image_digest,
     git_sha = excluded.git_sha, notes = excluded.notes, promoted_at = excluded.promoted_at,
     promoted_by = excluded.promoted_by, version = excluded.version, seq = excluded.seq,
     last_event = excluded.last_event`,
);

/** Null is a pin that is not there. */
const CURRENT = new Noted<WrittenPin | null>();

/** With the members in this order, whoever makes it: its JSON is a part of the record. */
export function pinOf({ git_sha, notes, seq, ...row }: Omit<Row, "version" | "last_event">): Pin {
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

export function fromRow(row: Row): VersionedPin {
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
  const row = await readRow(rows, env, { template_name: template, region });
  return row === undefined ? null : fromRow(row);
}

async function readRow(
  rows: Sql["rows"],
  env: string,
  { template_name, region }: PinPlace,
): Promise<Row | undefined> {
  const [row] = await rows<Row>(
    `SELECT ${COLUMNS} FROM pins WHERE env = $1 AND template_name = $2 AND region = $3`,
    env,
    template_name,
    region,
  );
  return row;
}

function keyOf(env: string, { template_name, region }: PinPlace): string {
  return `${env}/${template_name}/${region}`;
}

/** The pin as the writes before have left it; undefined when none of them had to do with it. */
export function notedPin(sql: WriteSql, env: string, place: PinPlace): WrittenPin | null | undefined {
  return CURRENT.get(sql.memory, keyOf(env, place));
}

/** The same for any pin: what was put is noted, so what is not noted is in the table. */
export async function currentPin(sql: WriteSql, env: string, place: PinPlace): Promise<WrittenPin | null> {
  const noted = notedPin(sql, env, place);
  if (noted !== undefined) return noted;
  const row = await readRow(sql.peek, env, place);
  if (row === undefined) return null;
  const found = fromRow(row);
  return { ...found, json: JSON.stringify(found.pin), lastEvent: row.last_event };
}

/** In place of the one before. */
export function putPin(sql: WriteSql, env: string, written: WrittenPin): void {
  const { pin, version, lastEvent } = written;
  const key = keyOf(env, pin);
  sql.put(PINS, key, [
    env,
    pin.template_name,
    pin.region,
    pin.image_digest,
    pin.git_sha ?? null,
    pin.notes ?? null,
    pin.promoted_at,
    pin.promoted_by,
    version,
    pin.seq ?? null,
    lastEvent,
  ]);
  CURRENT.set(sql.memory, key, written);
}
