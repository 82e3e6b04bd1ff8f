import type { Database, Sql, SqlValue } from "../storage/database.ts";
import { pageEnd } from "../storage/fitting.ts";
import { among } from "../storage/one-of.ts";
import { recordChange, type By } from "../events/events.ts";
import type { HostStatus, ReportedAddon } from "./host-status.ts";

/** What a host said last. */
export type Host = HostStatus & {
  readonly host: string;
  readonly reported_at: string;
  readonly reported_by: string;
};

type Row = {
  readonly host: string;
  readonly platform: string;
  readonly config_version: string | null;
  readonly addons_json: string;
  readonly reported_at: string;
  readonly reported_by: string;
};

const COLUMNS = "host, platform, config_version, addons_json, reported_at, reported_by";

function fromRow({ addons_json, ...row }: Row): Host {
  const addons: ReportedAddon[] = JSON.parse(addons_json);
  return { ...row, addons };
}

/** Keeps a report in place of the one before. Only one that says something else is an event: hosts report all day. */
export function reportStatus(
  database: Database,
  env: string,
  host: string,
  status: HostStatus,
  by: By,
): Promise<Host> {
  return database.write(async (sql) => {
    const before = await findHost(sql, env, host);
    const addons_json = JSON.stringify(status.addons);
    await sql.run(
      `INSERT INTO host_reports (env, ${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (env, host) DO UPDATE SET platform = excluded.platform,
         config_version = excluded.config_version, addons_json = excluded.addons_json,
         reported_at = excluded.reported_at, reported_by = excluded.reported_by`,
      env,
      host,
      status.platform,
      status.config_version,
      addons_json,
      by.at,
      by.actor,
    );
    if (before === null || JSON.stringify(contentOf(before)) !== JSON.stringify(contentOf(status))) {
      recordChange(sql, by, {
        action: "host.report",
        subject: host,
        before: before === null ? null : contentOf(before),
        after: contentOf(status),
      });
    }
    return { host, ...status, reported_at: by.at, reported_by: by.actor };
  });
}

function contentOf({ platform, config_version, addons }: HostStatus): HostStatus {
  return { platform, config_version, addons };
}

export async function findHost(sql: Sql, env: string, host: string): Promise<Host | null> {
  const [row] = await sql.rows<Row>(
    `SELECT ${COLUMNS} FROM host_reports WHERE env = $1 AND host = $2`,
    env,
    host,
  );
  return row === undefined ? null : fromRow(row);
}

/**
 * At most `limit` hosts behind the name `after`, in the order of their names, fewer when they said much; of `names`
 * alone when they are given. `next` is the name behind which there may be more; null at the end.
 */
export function listHosts(
  database: Database,
  env: string,
  names: readonly string[] | null,
  after: string,
  limit: number,
): Promise<{ readonly hosts: Host[]; readonly next: string | null }> {
  return database.read(async (sql) => {
    const values: SqlValue[] = [env, after];
    const behind = `FROM host_reports WHERE env = $1 AND host > $2 ${among("host", names, values)}`;
    const sizes = await sql.rows<{ host: string; chars: number }>(
      `SELECT host, length(addons_json) AS chars ${behind} ORDER BY host LIMIT $${values.length + 1}`,
      ...values,
      limit,
    );
    const { last, next } = pageEnd(sizes, limit);
    const rows = await sql.rows<Row>(
      // Without a limit: a host that reports for the first time meanwhile must not push out the last one of the page.
      `SELECT ${COLUMNS} ${behind} AND host <= $${values.length + 1} ORDER BY host`,
      ...values,
      last?.host ?? after,
    );
    return { hosts: rows.map(fromRow), next: next?.host ?? null };
  });
}
