import type { Database } from "./database.ts";
import { recordChange, type By } from "./events.ts";
import type { Promotion } from "./promotion.ts";

/** A pin as it is on the wire. Members that were not given are absent. */
export type Pin = {
  readonly template_name: string;
  readonly region: string;
  readonly image_digest: string;
  readonly git_sha?: string;
  readonly notes?: string;
  readonly promoted_at: string;
  readonly promoted_by: string;
};

type Row = {
  readonly template_name: string;
  readonly region: string;
  readonly image_digest: string;
  readonly git_sha: string | null;
  readonly notes: string | null;
  readonly promoted_at: string;
  readonly promoted_by: string;
};

const COLUMNS = "template_name, region, image_digest, git_sha, notes, promoted_at, promoted_by";

function fromRow({ git_sha, notes, ...row }: Row): Pin {
  return { ...row, ...(git_sha === null ? {} : { git_sha }), ...(notes === null ? {} : { notes }) };
}

/** Puts the pin of (env, template, region) in place of the one before. The last writer wins, as it always did. */
export function promotePin(database: Database, env: string, promotion: Promotion, by: By): Promise<Pin> {
  return database.write(async (sql) => {
    const key = [env, promotion.template_name, promotion.region] as const;
    const [before] = await sql.rows<Row>(
      `SELECT ${COLUMNS} FROM pins WHERE env = $1 AND template_name = $2 AND region = $3`,
      ...key,
    );
    const [row] = await sql.rows<Row>(
      `INSERT INTO pins (env, ${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (env, template_name, region) DO UPDATE SET image_digest = excluded.image_digest,
         git_sha = excluded.git_sha, notes = excluded.notes,
         promoted_at = excluded.promoted_at, promoted_by = excluded.promoted_by
       RETURNING ${COLUMNS}`,
      ...key,
      promotion.image_digest,
      promotion.git_sha ?? null,
      promotion.notes ?? null,
      by.at,
      by.actor,
    );
    if (row === undefined) throw new Error("the upsert of a pin returned no row");
    const pin = fromRow(row);
    await recordChange(sql, by, {
      action: "pin.promote",
      subject: `${promotion.template_name}/${promotion.region}`,
      before: before === undefined ? null : fromRow(before),
      after: pin,
    });
    return pin;
  });
}

/** Every pin of an environment, by template and then region. */
export async function listPins(database: Database, env: string): Promise<Pin[]> {
  const rows = await database.read((sql) =>
    sql.rows<Row>(`SELECT ${COLUMNS} FROM pins WHERE env = $1 ORDER BY template_name, region`, env),
  );
  return rows.map(fromRow);
}
