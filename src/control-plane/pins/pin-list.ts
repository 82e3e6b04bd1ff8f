import type { Database, SqlValue } from "../storage/database.ts";
import type { PinQuery } from "./pin-query.ts";
import { COLUMNS, fromRow, type Row, type VersionedPin } from "./pin-rows.ts";
import type { PinPlace } from "./promotion.ts";

/**
 * At most as many pins as are asked for, by template and then region; of `templates` alone when they are given. `next` is
 * the one behind which there may be more; null at the end.
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
  if (templates !== null) conditions.push(`template_name IN (${templates.map(place).join(", ")})`);
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
