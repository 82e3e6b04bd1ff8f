import { recordChange, type By } from "../events/events.ts";
import type { Database, Sql } from "../storage/database.ts";
import type { Labels } from "./labels.ts";

/** What operators said of a host; nothing without a row. */
export async function labelsOf(sql: Sql, env: string, host: string): Promise<Labels> {
  const [row] = await sql.rows<{ labels_json: string }>(
    "SELECT labels_json FROM host_labels WHERE env = $1 AND host = $2",
    env,
    host,
  );
  const labels: Labels = JSON.parse(row?.labels_json ?? "{}");
  return labels;
}

/** Puts the labels of a host in place of those before. The same ones again change nothing. */
export function setLabels(
  database: Database,
  env: string,
  host: string,
  labels: Labels,
  by: By,
): Promise<void> {
  const text = JSON.stringify(
    Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
  return database.write(async (sql) => {
    const before = await labelsOf(sql, env, host);
    if (JSON.stringify(before) === text) return;
    await sql.run(
      `INSERT INTO host_labels (env, host, labels_json, set_at, set_by) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (env, host) DO UPDATE SET labels_json = excluded.labels_json, set_at = excluded.set_at,
         set_by = excluded.set_by`,
      env,
      host,
      text,
      by.at,
      by.actor,
    );
    recordChange(sql, by, { action: "host.label", subject: host, before, after: labels });
  });
}
