import type { Database, SqlValue } from "../storage/database.ts";
import { oneOf } from "../storage/one-of.ts";
import type { PinQuery } from "./pin-query.ts";
import { COLUMNS, findPin, fromRow, type Row, type VersionedPin } from "./pin-rows.ts";
import { shownStops, type Stop } from "./pin-stops.ts";
import type { PinPlace } from "./promotion.ts";

/**
 * At most as many pins as are asked for, by template and then region; of `templates` alone when they are given.
 * `next` is the one behind which there may be more; null at the end.
 */
export async function pinPage(
  database: Database,
  env: string,
  { filters, after, limit }: PinQuery,
  templates: readonly string[] | null,
): Promise<{ readonly pins: VersionedPin[]; readonly next: PinPlace | null }> {
  const values: SqlValue[] = [env];
  const place = (value: SqlValue): string => `$${values.push(value)}`;
  const conditions = Object.entries(filters).map(([column, value]) => `${column} = ${place(value)}`);
  if (templates !== null) conditions.push(oneOf("template_name", templates, values));
  if (after !== null) {
    conditions.push(`(template_name, region) > (${place(after.template_name)}, ${place(after.region)})`);
  }
  const rows = await database.read((sql) =>
    sql.rows<Row>(
      `SELECT ${COLUMNS} FROM pins WHERE ${["env = $1", ...conditions].join(" AND ")}
       ORDER BY template_name, region LIMIT ${place(limit)}`,
      ...values,
    ),
  );
  return { pins: rows.map(fromRow), next: rows.length < limit ? null : (rows.at(-1) ?? null) };
}

/** One pin, or null, and what stands against changing it. */
export type ShownPin = {
  readonly found: VersionedPin | null;
  readonly stops: readonly Stop[];
  /** How many digests of its template are vetoed; `stops` has the newest of them. */
  readonly vetoes: number;
};

export async function showPin(database: Database, env: string, place: PinPlace): Promise<ShownPin> {
  // These reads may straddle a change; that is why the write judges all of it again.
  return database.read(async (sql) => ({
    found: await findPin(sql, env, place.template_name, place.region),
    ...(await shownStops(sql, env, place)),
  }));
}
