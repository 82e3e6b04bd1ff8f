import type { JsonMap } from "../../base/json.ts";
import type { Database, Sql, SqlValue } from "../storage/database.ts";
import { recordChange, type By } from "../events/events.ts";
import { concerning } from "./assignments.ts";
import { cursorText, type PackageName, type PackageQuery } from "./package-query.ts";
import type { Package, PackageArtifact } from "./package-request.ts";
import { pageEnd } from "../storage/fitting.ts";
import type { Sha256 } from "../../base/digest.ts";
import { WireRefusal } from "../http/wire.ts";

type PackageRow = {
  readonly addon_id: string;
  readonly version: string;
  readonly binary_name: string;
  readonly delivery: string;
  readonly supervision: string;
  readonly args_json: string;
  readonly config_json: string;
  readonly capabilities_json: string;
};

type ArtifactRow = {
  readonly addon_id: string;
  readonly version: string;
  readonly platform: string;
  readonly object_key: string | null;
  readonly sha256: Sha256 | null;
  readonly signature: string | null;
  readonly statement: string | null;
};

function fromRows(row: PackageRow, artifactRows: readonly ArtifactRow[]): Package {
  const args: string[] = JSON.parse(row.args_json);
  const config: JsonMap = JSON.parse(row.config_json);
  const capabilities: string[] = JSON.parse(row.capabilities_json);
  const artifacts: Record<string, PackageArtifact> = Object.create(null);
  for (const { platform, object_key, sha256, signature, statement } of artifactRows) {
    artifacts[platform] = {
      ...(object_key === null ? {} : { object_key }),
      ...(sha256 === null ? {} : { sha256 }),
      ...(signature === null ? {} : { signature }),
      ...(statement === null ? {} : { statement }),
    };
  }
  return {
    addon_id: row.addon_id,
    version: row.version,
    binary: row.binary_name,
    delivery: row.delivery,
    supervision: row.supervision,
    args,
    config_json: config,
    capabilities,
    artifacts,
  };
}

/**
 * Publishes a version, or adds platforms to one that is published: its `artifacts` are merged, the rest is
 * replaced. Throws WireRefusal `version_conflict` when a platform has other bytes already (a version never changes
 * its bytes) and `artifact_not_stored` when we do not have the bytes.
 */
export function publishPackage(database: Database, env: string, wanted: Package, by: By): Promise<Package> {
  return database.write(async (sql) => {
    const before = await readOne(sql, env, wanted.addon_id, wanted.version);
    for (const [platform, artifact] of Object.entries(wanted.artifacts)) {
      await checkArtifact(sql, wanted, platform, artifact, before?.artifacts[platform]);
    }
    await upsert(sql, env, wanted, by);
    const after = await readOne(sql, env, wanted.addon_id, wanted.version);
    if (after === null) throw new Error("a published package is not there");
    recordChange(sql, by, {
      action: "package.publish",
      subject: `${wanted.addon_id}@${wanted.version}`,
      before,
      after,
    });
    return after;
  });
}

async function checkArtifact(
  sql: Sql,
  wanted: Package,
  platform: string,
  artifact: PackageArtifact,
  existing: PackageArtifact | undefined,
): Promise<void> {
  const name = `${wanted.addon_id} ${wanted.version} for ${platform}`;
  if (existing?.sha256 !== undefined && existing.sha256 !== artifact.sha256) {
    throw new WireRefusal("version_conflict", `${name} is published with sha256 ${existing.sha256}`);
  }
  if (artifact.sha256 === undefined) return;
  const stored = await sql.rows("SELECT 1 FROM artifacts WHERE sha256 = $1", artifact.sha256);
  if (stored.length === 0) {
    throw new WireRefusal("artifact_not_stored", `the bytes of ${name} (${artifact.sha256}) are not stored`);
  }
}

async function upsert(sql: Sql, env: string, wanted: Package, by: By): Promise<void> {
  await sql.run(
    `INSERT INTO packages (env, addon_id, version, binary_name, delivery, supervision, args_json, config_json,
       capabilities_json, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
     ON CONFLICT (env, addon_id, version) DO UPDATE SET binary_name = excluded.binary_name,
       delivery = excluded.delivery, supervision = excluded.supervision, args_json = excluded.args_json,
       config_json = excluded.config_json, capabilities_json = excluded.capabilities_json,
       updated_at = excluded.updated_at`,
    env,
    wanted.addon_id,
    wanted.version,
    wanted.binary,
    wanted.delivery,
    wanted.supervision,
    JSON.stringify(wanted.args),
    JSON.stringify(wanted.config_json),
    JSON.stringify(wanted.capabilities),
    by.at,
  );
  for (const [platform, artifact] of Object.entries(wanted.artifacts)) {
    await sql.run(
      `INSERT INTO package_artifacts (env, addon_id, version, platform, object_key, sha256, signature,
         statement)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (env, addon_id, version, platform) DO UPDATE SET object_key = excluded.object_key,
         sha256 = excluded.sha256, signature = excluded.signature, statement = excluded.statement`,
      env,
      wanted.addon_id,
      wanted.version,
      platform,
      artifact.object_key ?? null,
      artifact.sha256 ?? null,
      artifact.signature ?? null,
      artifact.statement ?? null,
    );
  }
}

async function readOne(sql: Sql, env: string, addonId: string, version: string): Promise<Package | null> {
  const key = [env, addonId, version] as const;
  const where = "WHERE env = $1 AND addon_id = $2 AND version = $3";
  const [row] = await sql.rows<PackageRow>(`SELECT * FROM packages ${where}`, ...key);
  if (row === undefined) return null;
  const artifacts = await sql.rows<ArtifactRow>(
    `SELECT * FROM package_artifacts ${where} ORDER BY platform`,
    ...key,
  );
  return fromRows(row, artifacts);
}

/** Of a package or an artifact without its texts, generously. */
const NAMES_CHARS = 1_000;
/** A page is cut by what its texts hold, and these are all of them that may be long. */
const PACKAGE_CHARS = `${NAMES_CHARS} + length(args_json) + length(config_json) + length(capabilities_json)`;
const ARTIFACT_CHARS = `${NAMES_CHARS} + coalesce(length(object_key), 0) + coalesce(length(statement), 0)`;

/**
 * At most as many packages as are asked for, by id and then version, fewer when they hold much. `next` is the one
 * behind which there may be more; null at the end.
 */
export function listPackages(
  database: Database,
  env: string,
  { filters, after, limit }: PackageQuery,
): Promise<{ readonly packages: Package[]; readonly next: PackageName | null }> {
  return database.read(async (sql) => {
    const values: SqlValue[] = [];
    const place = (value: SqlValue): string => `$${values.push(value) + 1}`;
    const conditions = Object.entries(filters).map(([column, value]) => `AND ${column} = ${place(value)}`);
    if (after !== null) {
      conditions.push(`AND (addon_id, version) > (${place(after.addon_id)}, ${place(after.version)})`);
    }
    const sizes = await sql.rows<PackageName & { chars: number }>(
      `SELECT addon_id, version, ${PACKAGE_CHARS} + coalesce((SELECT sum(${ARTIFACT_CHARS}) FROM package_artifacts a
         WHERE a.env = p.env AND a.addon_id = p.addon_id AND a.version = p.version), 0) AS chars
       FROM packages p WHERE env = $1 ${conditions.join(" ")} ORDER BY addon_id, version LIMIT $${values.length + 2}`,
      env,
      ...values,
      limit,
    );
    const { last, next } = pageEnd(sizes, limit);
    if (last === null) return { packages: [], next: null };
    conditions.push(`AND (addon_id, version) <= (${place(last.addon_id)}, ${place(last.version)})`);
    return { packages: await readMany(sql, env, conditions.join(" "), values), next };
  });
}

/** The packages that assignments of this host, of some labels or of every host name. */
export function assignedPackages(database: Database, env: string, host: string | null): Promise<Package[]> {
  const assigned = `AND (addon_id, version) IN (${concerning("addon_id, version")})`;
  return database.read((sql) => readMany(sql, env, assigned, [host ?? ""]));
}

async function readMany(sql: Sql, env: string, condition: string, values: SqlValue[]): Promise<Package[]> {
  const where = `WHERE env = $1 ${condition} ORDER BY addon_id, version`;
  const rows = await sql.rows<PackageRow>(`SELECT * FROM packages ${where}`, env, ...values);
  const artifacts = await sql.rows<ArtifactRow>(
    `SELECT * FROM package_artifacts ${where}, platform`,
    env,
    ...values,
  );
  const byPackage = Map.groupBy(artifacts, cursorText);
  return rows.map((row) => fromRows(row, byPackage.get(cursorText(row)) ?? []));
}
