import type { Sql, SqlValue } from "../storage/database.ts";
import { among } from "../storage/one-of.ts";
import { containing, named, places } from "./facts.ts";
import type { PackageFact } from "./lineage.ts";

export type AssignmentFact = {
  readonly env: string;
  readonly addonId: string;
  /** "" is every host, `role=edge` every host with this label. */
  readonly audience: string;
  readonly version: string;
  readonly enabled: number;
  readonly at: string;
  readonly by: string;
};

/** A place in the order of assignments. */
export type AssignmentPlace = Pick<AssignmentFact, "audience" | "addonId" | "env">;

/** Which assignments to read: those behind one, of packages with these bytes, or with a text in their names. */
export type AssignmentWish =
  | {
      readonly behind: AssignmentPlace | null;
      readonly limit: number;
      readonly hosts: readonly string[] | null;
    }
  | { readonly artifact: string }
  | { readonly text: string; readonly limit: number; readonly hosts: readonly string[] | null };

export function assignmentFacts(
  sql: Sql,
  envs: readonly string[],
  wish: AssignmentWish,
): Promise<AssignmentFact[]> {
  const values: SqlValue[] = [...envs];
  const place = (value: SqlValue): string => `$${values.push(value)}`;
  return sql.rows<AssignmentFact>(
    `SELECT env, addon_id AS "addonId", host AS "audience", version, enabled, assigned_at AS "at",
     ${named("assigned_by")} AS "by"
     FROM assignments a WHERE env IN (${places(envs)}) ${assignmentsWished(wish, place, values)}`,
    ...values,
  );
}

function assignmentsWished(
  wish: AssignmentWish,
  place: (value: SqlValue) => string,
  values: SqlValue[],
): string {
  const order = "ORDER BY host, addon_id, env";
  if ("artifact" in wish) {
    return `AND EXISTS (SELECT 1 FROM package_artifacts p WHERE p.env = a.env AND p.addon_id = a.addon_id
      AND p.version = a.version AND p.sha256 = ${place(wish.artifact)}) ${order}`;
  }
  const shown = among("host", wish.hosts, values);
  if ("text" in wish) {
    const has = place(containing(wish.text));
    return `${shown} AND (host LIKE ${has} ESCAPE '\\' OR addon_id LIKE ${has} ESCAPE '\\') ${order} LIMIT ${place(wish.limit)}`;
  }
  const { behind, limit } = wish;
  const after =
    behind === null
      ? ""
      : `AND (host, addon_id, env) > (${place(behind.audience)}, ${place(behind.addonId)}, ${place(behind.env)})`;
  return `${shown} ${after} ${order} LIMIT ${place(limit)}`;
}

type PackageRow = Omit<PackageFact, "audiences">;

/** The published add-on artifacts with these bytes, each with those whom it is assigned to. */
export async function packagesWith(
  sql: Sql,
  envs: readonly string[],
  sha256: string,
): Promise<PackageFact[]> {
  const rows = await sql.rows<PackageRow>(
    `SELECT env, addon_id AS "addonId", version, platform FROM package_artifacts
     WHERE env IN (${places(envs)}) AND sha256 = $${envs.length + 1} ORDER BY env, addon_id, version, platform`,
    ...envs,
    sha256,
  );
  const assigned = await assignmentFacts(sql, envs, { artifact: sha256 });
  return rows.map((row) => ({
    ...row,
    audiences: assigned
      .filter((one) => one.env === row.env && one.addonId === row.addonId && one.version === row.version)
      .map(({ audience }) => audience),
  }));
}
