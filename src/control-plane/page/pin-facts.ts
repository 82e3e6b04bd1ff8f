import type { Sql, SqlValue } from "../storage/database.ts";
import { among } from "../storage/one-of.ts";
import type { PinFact } from "./board.ts";
import { containing, named, places } from "./facts.ts";

type PinRow = {
  readonly env: string;
  readonly template_name: string;
  readonly region: string;
  readonly image_digest: string;
  readonly git_sha: string | null;
  readonly notes: string | null;
  readonly seq: number | null;
  readonly promoted_at: string;
  readonly promoted_by: string;
  readonly version: number;
};

/** A row of the board: what environments have pins for. */
export type PinPlaceFact = Pick<PinFact, "template" | "region">;

/** At most `limit` places of pins behind `after`, by template and then region. */
export function pinPlaces(
  sql: Sql,
  envs: readonly string[],
  templates: readonly string[] | null,
  after: PinPlaceFact,
  limit: number,
): Promise<PinPlaceFact[]> {
  const values: SqlValue[] = [...envs];
  const shown = among("template_name", templates, values);
  const [template, region] = [values.push(after.template), values.push(after.region)];
  return sql.rows<PinPlaceFact>(
    `SELECT template_name AS "template", region FROM pins WHERE env IN (${places(envs)}) ${shown}
     AND (template_name, region) > ($${template}, $${region})
     GROUP BY template_name, region ORDER BY template_name, region LIMIT $${values.push(limit)}`,
    ...values,
  );
}

/** How many places there are in all, and in how many of them environments have other digests. */
export async function placeCounts(
  sql: Sql,
  envs: readonly string[],
  templates: readonly string[] | null,
): Promise<{ readonly places: number; readonly differing: number }> {
  const values: SqlValue[] = [...envs];
  const [counts] = await sql.rows<{ places: number; differing: number }>(
    `SELECT count(*) AS places, count(CASE WHEN digests > 1 THEN 1 END) AS differing FROM (
       SELECT count(DISTINCT image_digest) AS digests FROM pins
       WHERE env IN (${places(envs)}) ${among("template_name", templates, values)} GROUP BY template_name, region) AS each_place`,
    ...values,
  );
  return counts ?? { places: 0, differing: 0 };
}

/** Those of the environments in which anything is pinned, by name. */
export async function pinnedEnvironments(
  sql: Sql,
  envs: readonly string[],
  templates: readonly string[] | null,
): Promise<string[]> {
  const values: SqlValue[] = [...envs];
  const rows = await sql.rows<{ env: string }>(
    `SELECT DISTINCT env FROM pins WHERE env IN (${places(envs)}) ${among("template_name", templates, values)}`,
    ...values,
  );
  const found = new Set(rows.map(({ env }) => env));
  return envs.filter((env) => found.has(env));
}

/** Which pins to read: those of some places, one of an environment, those of a digest, or those with a text in them. */
export type PinWish =
  | { readonly behind: PinPlaceFact; readonly upTo: PinPlaceFact }
  | { readonly at: PinPlaceFact }
  | { readonly digest: string }
  | { readonly text: string; readonly limit: number };

export async function pinFacts(
  sql: Sql,
  envs: readonly string[],
  templates: readonly string[] | null,
  wish: PinWish,
): Promise<PinFact[]> {
  const values: SqlValue[] = [...envs];
  const shown = among("template_name", templates, values);
  const rows = await sql.rows<PinRow>(
    `SELECT env, template_name, region, image_digest, git_sha, notes, seq, promoted_at, ${named("promoted_by")} AS promoted_by, version
     FROM pins WHERE env IN (${places(envs)}) ${shown} AND ${wished(wish, (value) => `$${values.push(value)}`)}`,
    ...values,
  );
  return rows.map((row) => ({
    env: row.env,
    template: row.template_name,
    region: row.region,
    digest: row.image_digest,
    gitSha: row.git_sha,
    notes: row.notes,
    seq: row.seq,
    at: row.promoted_at,
    by: row.promoted_by,
    version: row.version,
  }));
}

function wished(wish: PinWish, place: (value: SqlValue) => string): string {
  const order = "ORDER BY template_name, region, env";
  const row = ({ template, region }: PinPlaceFact): string => `(${place(template)}, ${place(region)})`;
  if ("behind" in wish) {
    const { behind, upTo } = wish;
    return `(template_name, region) > ${row(behind)} AND (template_name, region) <= ${row(upTo)} ${order}`;
  }
  if ("at" in wish) return `(template_name, region) = ${row(wish.at)} ${order}`;
  if ("digest" in wish) return `image_digest = ${place(wish.digest)} ${order}`;
  const has = place(containing(wish.text));
  const columns = ["template_name", "image_digest", "git_sha", "notes"];
  return `(${columns.map((column) => `${column} LIKE ${has} ESCAPE '\\'`).join(" OR ")}) ${order} LIMIT ${place(wish.limit)}`;
}
