import type { Sha256 } from "../../base/digest.ts";
import type { Database } from "../storage/database.ts";
import { countUse, type Quota } from "./quota.ts";
import { recordChange, type By } from "../events/events.ts";

/**
 * Registers an artifact whose bytes are kept. True when it was not there before. Throws WireRefusal `quota_exceeded`.
 */
export function addArtifact(
  database: Database,
  env: string,
  sha256: Sha256,
  bytes: number,
  by: By,
  quota: Quota,
): Promise<boolean> {
  return database.write(async (sql) => {
    const added = await sql.run(
      `INSERT INTO artifacts (sha256, bytes, stored_at, stored_by) VALUES ($1, $2, $3, $4)
       ON CONFLICT (sha256) DO NOTHING`,
      sha256,
      bytes,
      by.at,
      by.actor,
    );
    if (added === 0) return false;
    await countUse(sql, env, bytes, quota);
    recordChange(sql, by, {
      action: "artifact.store",
      subject: sha256,
      before: null,
      after: { bytes },
    });
    return true;
  });
}

/** The size of a stored artifact in bytes, or null. */
export async function artifactBytes(database: Database, sha256: Sha256): Promise<number | null> {
  const rows = await database.read((sql) =>
    sql.rows<{ bytes: number }>("SELECT bytes FROM artifacts WHERE sha256 = $1", sha256),
  );
  return rows[0]?.bytes ?? null;
}
