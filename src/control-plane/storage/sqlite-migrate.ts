import type { Database as Connection } from "bun:sqlite";
import { existsSync } from "node:fs";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { copyDatabase } from "./sqlite-backup.ts";
import { SQLITE_STEPS } from "./sqlite-migrations.ts";

/**
 * Runs the steps that this file has not seen, after a copy of what was there: `<path>.before-<version>`, the version
 * that the steps lead to. Throws Failure when a newer waybill wrote it.
 */
export function migrateSqlite(connection: Connection, path: string): void {
  try {
    if (versionOf(connection, path) === SQLITE_STEPS.length) return;
    keepCopy(connection, `${path}.before-${SQLITE_STEPS.length}`);
    connection.run("BEGIN IMMEDIATE");
    // Read again inside the lock: `serve` and `token new` may open a new file at the same moment.
    const found = versionOf(connection, path);
    for (const step of SQLITE_STEPS.slice(found)) connection.run(step);
    if (found < SQLITE_STEPS.length) connection.run(`PRAGMA user_version = ${SQLITE_STEPS.length}`);
    connection.run("COMMIT");
  } catch (error) {
    if (connection.inTransaction) connection.run("ROLLBACK");
    connection.close();
    throw error;
  }
}

function versionOf(connection: Connection, path: string): number {
  const found =
    connection.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
  if (found <= SQLITE_STEPS.length) return found;
  throw new Failure(
    "data_dir_invalid",
    `${quoted(path)} has schema ${found}; this waybill knows up to ${SQLITE_STEPS.length}`,
    { hint: "run the newer waybill that wrote it" },
  );
}

function keepCopy(connection: Connection, path: string): void {
  const tables = connection.query<{ n: number }, []>("SELECT count(*) AS n FROM sqlite_schema").get()?.n ?? 0;
  // A copy that is there is of an earlier try, from before anything was changed.
  if (tables > 0 && !existsSync(path)) copyDatabase(connection, path);
}
