import type { Sql, SqlValue } from "../storage/database.ts";
import type { ReportedAddon } from "../hosts/host-status.ts";
import { pageEnd } from "../storage/fitting.ts";
import { among } from "../storage/one-of.ts";
import { containing, named, places } from "./facts.ts";
import type { RunningFact } from "./lineage.ts";

/** What a host said last. */
export type HostFact = {
  readonly env: string;
  readonly host: string;
  readonly platform: string;
  readonly at: string;
  readonly by: string;
  readonly addons: readonly ReportedAddon[];
};

type Row = Omit<HostFact, "addons"> & { readonly addons_json: string };

/** A place in the order of hosts, by name and then environment. */
export type HostPlace = Pick<HostFact, "host" | "env">;

/** At most `limit` reports behind this place, fewer when they are large, of `names` alone when they are given. */
export async function hostFacts(
  sql: Sql,
  envs: readonly string[],
  names: readonly string[] | null,
  after: HostPlace,
  limit: number,
): Promise<{ readonly hosts: HostFact[]; readonly next: HostPlace | null }> {
  const values: SqlValue[] = [...envs, after.host, after.env];
  const [host, env] = [envs.length + 1, envs.length + 2];
  const behind = `FROM host_reports WHERE env IN (${places(envs)}) AND (host, env) > ($${host}, $${env})
    ${among("host", names, values)}`;
  const sizes = await sql.rows<HostPlace & { chars: number }>(
    `SELECT env, host, length(addons_json) AS chars ${behind} ORDER BY host, env LIMIT $${values.length + 1}`,
    ...values,
    limit,
  );
  const end = pageEnd(sizes, limit);
  const last = end.last ?? after;
  const rows = await sql.rows<Row>(
    // Without a limit, as in hosts.ts.
    `SELECT env, host, platform, addons_json, reported_at AS "at", ${named("reported_by")} AS "by"
     ${behind} AND (host, env) <= ($${values.push(last.host)}, $${values.push(last.env)})
     ORDER BY host, env`,
    ...values,
  );
  const hosts = rows.map(({ addons_json: text, ...row }) => {
    const addons: ReportedAddon[] = JSON.parse(text);
    return { ...row, addons };
  });
  return { hosts, next: end.next };
}

/** The hosts that have reported and have the text in their name, at most 100; of `names` alone when they are given. */
export function hostsNamed(
  sql: Sql,
  envs: readonly string[],
  names: readonly string[] | null,
  text: string,
): Promise<HostPlace[]> {
  const values: SqlValue[] = [...envs, containing(text)];
  return sql.rows<HostPlace>(
    `SELECT env, host FROM host_reports WHERE env IN (${places(envs)}) AND host LIKE $${values.length} ESCAPE '\\'
     ${among("host", names, values)} ORDER BY host, env LIMIT 100`,
    ...values,
  );
}

/** The hosts that say that they have a digest, by name. */
export async function runningFacts(
  sql: Sql,
  envs: readonly string[],
  digest: string,
): Promise<RunningFact[]> {
  // A report may name it as offered or blocked only, so what is found is read.
  const rows = await sql.rows<Pick<Row, "env" | "host" | "addons_json">>(
    `SELECT env, host, addons_json FROM host_reports
     WHERE env IN (${places(envs)}) AND addons_json LIKE $${envs.length + 1} ORDER BY host, env`,
    ...envs,
    `%"${digest}"%`,
  );
  return rows.flatMap(({ env, host, addons_json: text }) => {
    const addons: ReportedAddon[] = JSON.parse(text);
    return addons.flatMap(({ addon_id: addonId, has, state }) =>
      has?.digest === digest ? [{ env, host, addonId, version: has.version, state }] : [],
    );
  });
}
