import type { JsonMap } from "../../base/json.ts";
import { labelsOf } from "../hosts/host-labels.ts";
import { isSelectorText, parseSelector, selects } from "../hosts/labels.ts";
import type { AssignmentQuery } from "./assignment-query.ts";
import type { AssignmentRequest, Audience, StoredAssignment } from "./assignment-request.ts";
import type { Database, Sql, SqlValue } from "../storage/database.ts";
import { recordChange, type By } from "../events/events.ts";
import { pageEnd } from "../storage/fitting.ts";
import { among } from "../storage/one-of.ts";
import { WireRefusal } from "../http/wire.ts";

type Row = {
  readonly addon_id: string;
  readonly host: string;
  readonly version: string;
  readonly enabled: number;
  readonly args_json: string | null;
  readonly config_json: string | null;
};

const COLUMNS = "addon_id, host, version, enabled, args_json, config_json";

function fromRow(row: Row): StoredAssignment {
  const args: string[] | null = JSON.parse(row.args_json ?? "null");
  const config: JsonMap | null = JSON.parse(row.config_json ?? "null");
  return {
    addon_id: row.addon_id,
    version: row.version,
    enabled: row.enabled === 1,
    ...(args === null ? {} : { args }),
    ...(config === null ? {} : { config_json: config }),
    ...audienceOf(row.host),
  };
}

function audienceOf(host: Audience): Pick<StoredAssignment, "host" | "selector"> {
  if (host === "") return {};
  return isSelectorText(host) ? { selector: parseSelector(host) } : { host };
}

/**
 * Puts an add-on on one host, on those with some labels, or on every host. Throws WireRefusal `not_found` when the
 * version is not published.
 */
export function assignAddon(
  database: Database,
  env: string,
  addonId: string,
  wanted: AssignmentRequest,
  by: By,
): Promise<StoredAssignment> {
  return database.write(async (sql) => {
    const published = await sql.rows(
      "SELECT 1 FROM packages WHERE env = $1 AND addon_id = $2 AND version = $3",
      env,
      addonId,
      wanted.version,
    );
    if (published.length === 0) {
      throw new WireRefusal("not_found", `${addonId} ${wanted.version} is not a published package`);
    }
    const before = await readOne(sql, env, addonId, wanted.audience);
    const [row] = await sql.rows<Row>(
      `INSERT INTO assignments (env, ${COLUMNS}, assigned_at, assigned_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (env, addon_id, host) DO UPDATE SET version = excluded.version, enabled = excluded.enabled,
         args_json = excluded.args_json, config_json = excluded.config_json,
         assigned_at = excluded.assigned_at, assigned_by = excluded.assigned_by
       RETURNING ${COLUMNS}`,
      env,
      addonId,
      wanted.audience,
      wanted.version,
      Number(wanted.enabled),
      wanted.args === null ? null : JSON.stringify(wanted.args),
      wanted.config_json === null ? null : JSON.stringify(wanted.config_json),
      by.at,
      by.actor,
    );
    if (row === undefined) throw new Error("the upsert of an assignment returned no row");
    const after = fromRow(row);
    recordChange(sql, by, {
      action: "assignment.put",
      subject: subjectOf(addonId, wanted.audience),
      before,
      after,
    });
    return after;
  });
}

/** Takes an add-on away from those whom it was put on. Nothing there is nothing to do. */
export function unassignAddon(
  database: Database,
  env: string,
  addonId: string,
  host: Audience,
  by: By,
): Promise<void> {
  return database.write(async (sql) => {
    const before = await readOne(sql, env, addonId, host);
    if (before === null) return;
    await sql.run(
      "DELETE FROM assignments WHERE env = $1 AND addon_id = $2 AND host = $3",
      env,
      addonId,
      host,
    );
    recordChange(sql, by, {
      action: "assignment.delete",
      subject: subjectOf(addonId, host),
      before,
      after: null,
    });
  });
}

/**
 * The columns of what may concern the host `$2`: its own assignments, the general ones, and those for labels. Each
 * part is a look into an index, which an OR would not be.
 */
export function concerning(columns: string): string {
  return `SELECT ${columns} FROM assignments WHERE env = $1 AND host IN ('', $2)
    UNION ALL SELECT ${columns} FROM assignments WHERE env = $1 AND replace(host, '=', '') <> host`;
}

/** What concerns a host: its own assignments, those for labels that it has, and the general ones, in no order. */
export async function assignmentsFor(
  database: Database,
  env: string,
  host: string | null,
): Promise<StoredAssignment[]> {
  return database.read(async (sql) => {
    const rows = await sql.rows<Row>(concerning(COLUMNS), env, host ?? "");
    const labels = host === null ? {} : await labelsOf(sql, env, host);
    return rows.map(fromRow).filter(({ selector }) => selector === undefined || selects(selector, labels));
  });
}

/** Of an assignment without its texts, generously. */
const NAMES_CHARS = 1_000;

/**
 * At most as many assignments of an add-on as are asked for, the general one first, fewer when they hold much; those
 * for one of `hosts` alone when they are given. `next` is the one behind which there may be more; null at the end.
 */
export function listAssignments(
  database: Database,
  env: string,
  addonId: string,
  { after, limit }: AssignmentQuery,
  hosts: readonly string[] | null,
): Promise<{ readonly assignments: StoredAssignment[]; readonly next: Audience | null }> {
  return database.read(async (sql) => {
    const values: SqlValue[] = [env, addonId];
    const behind = `FROM assignments WHERE env = $1 AND addon_id = $2 ${among("host", hosts, values)}
      ${after === null ? "" : `AND host > $${values.push(after)}`}`;
    const sizes = await sql.rows<{ host: Audience; chars: number }>(
      `SELECT host, ${NAMES_CHARS} + coalesce(length(args_json), 0) + coalesce(length(config_json), 0) AS chars
       ${behind} ORDER BY host LIMIT $${values.length + 1}`,
      ...values,
      limit,
    );
    const { last, next } = pageEnd(sizes, limit);
    if (last === null) return { assignments: [], next: null };
    const rows = await sql.rows<Row>(
      // Without a limit: what is added meanwhile must not push out the one that the next page begins behind.
      `SELECT ${COLUMNS} ${behind} AND host <= $${values.length + 1} ORDER BY host`,
      ...values,
      last.host,
    );
    return { assignments: rows.map(fromRow), next: next?.host ?? null };
  });
}

async function readOne(
  sql: Sql,
  env: string,
  addonId: string,
  host: string,
): Promise<StoredAssignment | null> {
  const [row] = await sql.rows<Row>(
    `SELECT ${COLUMNS} FROM assignments WHERE env = $1 AND addon_id = $2 AND host = $3`,
    env,
    addonId,
    host,
  );
  return row === undefined ? null : fromRow(row);
}

function subjectOf(addonId: string, host: string): string {
  return host === "" ? addonId : `${addonId} on ${host}`;
}
