import { pinEvents } from "../pins/pin-events.ts";
import type { Sql, SqlValue } from "../storage/database.ts";
import { oneOf } from "../storage/one-of.ts";
import type { BuildFact, PinFact, StopFact } from "./board.ts";

/** Builds among which the commit of a pin is looked for that no build names by its digest. */
const RECENT_BUILDS = 500;

/**
 * Who did something, as people know them: the name of a token before the id that is recorded. `column` holds
 * `api-token-<id>`, or another actor, who has no other name.
 */
export function named(column: string): string {
  return `COALESCE((SELECT t.name || ' (' || ${column} || ')' FROM tokens t
    WHERE t.id = substr(${column}, 11) AND t.name <> ''), ${column})`;
}

/** The same for actors that were read already. */
export async function tokenNames(sql: Sql, actors: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(actors)].map((actor) => actor.slice("api-token-".length));
  const rows = await sql.rows<{ id: string; name: string }>(
    `SELECT id, name FROM tokens WHERE name <> '' AND id IN (${places(ids)})`,
    ...ids,
  );
  return new Map(rows.map(({ id, name }) => [`api-token-${id}`, `${name} (api-token-${id})`]));
}

/** The environments in which anything is recorded, by name. */
export async function environments(sql: Sql): Promise<string[]> {
  const rows = await sql.rows<{ env: string }>(
    "SELECT env FROM pins UNION SELECT env FROM builds UNION SELECT env FROM packages UNION SELECT env FROM host_reports ORDER BY env",
  );
  return rows.map(({ env }) => env);
}

/** For LIKE: what has this text in it, whatever signs it holds. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/gu, "\\$&")}%`;
}

export function stopFacts(sql: Sql, envs: readonly string[]): Promise<StopFact[]> {
  return sql.rows<StopFact>(
    `SELECT env, kind, template_name AS "template", scope, reason, set_at AS "at", ${named("set_by")} AS "by"
     FROM pin_stops WHERE env IN (${places(envs)}) ORDER BY kind, template_name, scope`,
    ...envs,
  );
}

type BuildRow = Omit<BuildFact, "dirty"> & { readonly dirty: number | null };

const BUILD_COLUMNS = `env, id, image_name AS "image", image_digest AS "digest", source_repo AS "repo",
  source_commit AS "commit", source_ref AS "ref", source_dirty AS "dirty", working_tree_hash AS "treeHash",
  context_sha256 AS "contextSha256", created_at AS "at", ${named("created_by")} AS "by"`;

function buildOf(row: BuildRow): BuildFact {
  return { ...row, dirty: row.dirty === null ? null : row.dirty === 1 };
}

/** The newest builds of these environments, newest first. */
export async function recentBuilds(sql: Sql, envs: readonly string[]): Promise<BuildFact[]> {
  const rows = await sql.rows<BuildRow>(
    `SELECT ${BUILD_COLUMNS} FROM builds WHERE env IN (${places(envs)}) ORDER BY seq DESC LIMIT ${RECENT_BUILDS}`,
    ...envs,
  );
  return rows.map(buildOf);
}

/** The newest build of each of these digests and repository, however old, newest first. */
export async function newestBuildsOf(
  sql: Sql,
  envs: readonly string[],
  digests: readonly string[],
): Promise<BuildFact[]> {
  const values: SqlValue[] = [...envs];
  const ofThem = oneOf("image_digest", digests, values);
  const rows = await sql.rows<BuildRow>(
    `SELECT ${BUILD_COLUMNS} FROM builds WHERE seq IN (
       SELECT max(seq) FROM builds WHERE env IN (${places(envs)}) AND ${ofThem}
       GROUP BY image_digest, source_repo) ORDER BY seq DESC`,
    ...values,
  );
  return rows.map(buildOf);
}

/** The builds whose `column` is exactly this, newest first, at most 100. */
export async function buildsWith(
  sql: Sql,
  envs: readonly string[],
  column: "image_digest" | "source_commit" | "working_tree_hash" | "id",
  value: string,
): Promise<BuildFact[]> {
  const rows = await sql.rows<BuildRow>(
    `SELECT ${BUILD_COLUMNS} FROM builds WHERE env IN (${places(envs)}) AND ${column} = $${envs.length + 1}
     ORDER BY seq DESC LIMIT 100`,
    ...envs,
    value,
  );
  return rows.map(buildOf);
}

/** One thing that happened, or was denied. */
export type EventFact = {
  readonly seq: number;
  readonly at: string;
  readonly env: string | null;
  readonly actor: string;
  readonly action: string;
  readonly decision: "allowed" | "denied";
  readonly subject: string;
  readonly reason: string | null;
  readonly before: string | null;
  readonly after: string | null;
};

export type EventQuery = {
  readonly envs: readonly string[];
  /** Only changes and denials about pins. */
  readonly onlyPins: boolean;
  readonly before: number;
  readonly limit: number;
};

/** What happened, newest first. */
export function eventFacts(sql: Sql, query: EventQuery): Promise<EventFact[]> {
  const values: SqlValue[] = [...query.envs];
  const conditions = [`env IN (${places(query.envs)})`, `seq < $${values.push(query.before)}`];
  if (query.onlyPins) conditions.push("action LIKE 'pin.%'");
  return sql.rows<EventFact>(
    `SELECT seq, at, env, ${named("actor")} AS actor, action, decision, subject, reason, before_json AS "before", after_json AS "after"
     FROM events WHERE ${conditions.join(" AND ")} ORDER BY seq DESC LIMIT $${values.push(query.limit)}`,
    ...values,
  );
}

/** What happened to a pin, newest first. */
export async function pinEventFacts(
  sql: Sql,
  { env, template, region }: PinFact,
  limit: number,
): Promise<EventFact[]> {
  const place = { template_name: template, region };
  const events = await pinEvents(sql, env, place, Number.MAX_SAFE_INTEGER, limit);
  const names = await tokenNames(
    sql,
    events.map(({ actor }) => actor),
  );
  return events.map(({ actor, before_json: before, after_json: after, ...event }) => ({
    ...event,
    env,
    subject: `${template}/${region}`,
    actor: names.get(actor) ?? actor,
    before,
    after,
  }));
}

/** `$1, $2, …` for a list that begins the parameters; a list of nothing matches nothing. */
export function places(values: readonly string[]): string {
  return values.length === 0 ? "NULL" : values.map((_, index) => `$${index + 1}`).join(", ");
}
