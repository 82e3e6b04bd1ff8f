import { countUse, type Quota } from "../artifacts/quota.ts";
import type { BuildForm } from "./build-form.ts";
import type { BuildQuery } from "./build-query.ts";
import type { Database, Sql, SqlValue } from "../storage/database.ts";
import { oneOf } from "../storage/one-of.ts";
import { recordChange, type By } from "../events/events.ts";
import { WireRefusal } from "../http/wire.ts";

/** A build on the wire. waybill records builds and does not run them: the status is the uploader's word. */
export type Build = {
  readonly object: "agentex_cloud_build";
  readonly id: string;
  readonly account_id: string;
  readonly agent_id: string | null;
  readonly agent_name: string;
  readonly build_status: "success" | "unknown";
  readonly cloud_provider_build_id: string;
  readonly image_name: string;
  readonly image_tag: string;
  readonly image_url: null;
  readonly image_digest: string | null;
  readonly platform: string | null;
  readonly build_arg_names: readonly string[];
  readonly build_start_time: null;
  readonly build_end_time: null;
  readonly created_at: string;
  readonly created_by: { readonly object: "identity"; readonly type: "service_account"; readonly id: string };
  readonly source_repo: string | null;
  readonly source_commit: string | null;
  readonly source_ref: string | null;
  readonly source_subpath: string | null;
  readonly source_dirty: boolean | null;
  readonly working_tree_hash: string | null;
  readonly context_archive: { readonly sha256: string; readonly bytes: number };
};

type Row = Omit<BuildForm, "source_dirty" | "build_arg_names"> & {
  readonly seq: number;
  readonly id: string;
  readonly env: string;
  readonly build_arg_names_json: string;
  readonly source_dirty: number | null;
  readonly context_sha256: string;
  readonly context_bytes: number;
  readonly created_at: string;
  readonly created_by: string;
};

function fromRow(row: Row): Build {
  const names: string[] = JSON.parse(row.build_arg_names_json);
  return {
    object: "agentex_cloud_build",
    id: row.id,
    account_id: row.env,
    agent_id: row.agent_id,
    agent_name: row.agent_name,
    build_status: row.image_digest === null ? "unknown" : "success",
    cloud_provider_build_id: row.id,
    image_name: row.image_name,
    image_tag: row.image_tag,
    image_url: null,
    image_digest: row.image_digest,
    platform: row.platform,
    build_arg_names: names,
    build_start_time: null,
    build_end_time: null,
    created_at: row.created_at,
    created_by: { object: "identity", type: "service_account", id: row.created_by },
    source_repo: row.source_repo,
    source_commit: row.source_commit,
    source_ref: row.source_ref,
    source_subpath: row.source_subpath,
    source_dirty: row.source_dirty === null ? null : row.source_dirty === 1,
    working_tree_hash: row.working_tree_hash,
    context_archive: { sha256: row.context_sha256, bytes: row.context_bytes },
  };
}

/** Whether a build has the same context already: then its bytes are no new ones. */
export async function isContextKept(sql: Sql, sha256: string): Promise<boolean> {
  return (await sql.rows("SELECT 1 FROM builds WHERE context_sha256 = $1 LIMIT 1", sha256)).length > 0;
}

/** Records a build whose archive is kept already. `id` is new. Throws WireRefusal `quota_exceeded`. */
export function addBuild(
  database: Database,
  env: string,
  id: string,
  form: BuildForm,
  archive: { readonly sha256: string; readonly bytes: number },
  by: By,
  quota: Quota,
): Promise<Build> {
  return database.write(async (sql) => {
    if (!(await isContextKept(sql, archive.sha256))) await countUse(sql, env, archive.bytes, quota);
    const dirty = form.source_dirty === null ? null : Number(form.source_dirty);
    const columns: Record<string, SqlValue> = {
      id,
      env,
      agent_id: form.agent_id,
      agent_name: form.agent_name,
      image_name: form.image_name,
      image_tag: form.image_tag,
      image_digest: form.image_digest,
      platform: form.platform,
      build_arg_names_json: JSON.stringify(form.build_arg_names),
      source_repo: form.source_repo,
      source_commit: form.source_commit,
      source_ref: form.source_ref,
      source_subpath: form.source_subpath,
      source_dirty: dirty,
      working_tree_hash: form.working_tree_hash,
      context_sha256: archive.sha256,
      context_bytes: archive.bytes,
      created_at: by.at,
      created_by: by.actor,
    };
    const names = Object.keys(columns);
    const places = names.map((_, index) => `$${index + 1}`);
    const [row] = await sql.rows<Row>(
      `INSERT INTO builds (${names.join(", ")}) VALUES (${places.join(", ")}) RETURNING *`,
      ...Object.values(columns),
    );
    if (row === undefined) throw new Error("the insert of a build returned no row");
    const build = fromRow(row);
    recordChange(sql, by, { action: "build.record", subject: id, before: null, after: build });
    return build;
  });
}

export async function findBuild(database: Database, env: string, id: string): Promise<Build | null> {
  const rows = await database.read((sql) =>
    sql.rows<Row>("SELECT * FROM builds WHERE env = $1 AND id = $2", env, id),
  );
  return rows[0] === undefined ? null : fromRow(rows[0]);
}

/**
 * One page in the order asked for, of `repos` alone when they are given. Throws WireRefusal `invalid_query` when the
 * cursor is no build of this env.
 */
export function listBuilds(
  database: Database,
  env: string,
  query: BuildQuery,
  repos: readonly string[] | null,
): Promise<{ items: Build[]; has_more: boolean }> {
  return database.read(async (sql) => {
    const values: SqlValue[] = [env];
    const conditions = ["env = $1"];
    for (const [column, value] of Object.entries(query.filters)) {
      conditions.push(`${column} = $${values.push(value)}`);
    }
    if (repos !== null) conditions.push(oneOf("source_repo", repos, values));
    // A page before a cursor is read backwards from it and turned round.
    const backwards = query.cursor?.side === "before";
    const descending = (query.order === "desc") !== backwards;
    if (query.cursor !== null) {
      const seq = await cursorSeq(sql, env, query.cursor.id, query.cursor.name);
      conditions.push(`seq ${descending ? "<" : ">"} $${values.push(seq)}`);
    }
    const limit = `$${values.push(query.limit + 1)}`;
    const rows = await sql.rows<Row>(
      `SELECT * FROM builds WHERE ${conditions.join(" AND ")}
       ORDER BY seq ${descending ? "DESC" : "ASC"} LIMIT ${limit}`,
      ...values,
    );
    const page = rows.slice(0, query.limit);
    if (backwards) page.reverse();
    return { items: page.map(fromRow), has_more: rows.length > query.limit };
  });
}

async function cursorSeq(sql: Sql, env: string, id: string, parameter: string): Promise<number> {
  const [row] = await sql.rows<{ seq: number }>("SELECT seq FROM builds WHERE env = $1 AND id = $2", env, id);
  if (row === undefined) throw new WireRefusal("invalid_query", `${parameter} names no build`);
  return row.seq;
}
