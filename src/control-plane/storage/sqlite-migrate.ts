import type { Database as Connection } from "bun:sqlite";
import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { copyDatabase } from "./sqlite-backup.ts";
import { SQLITE_STEPS } from "./sqlite-migrations.ts";

/**
 * Runs the steps that this file has not seen, after a copy of what was there: `<path>.before-<version>`, the version
 * that the steps lead to. Throws Failure when a newer waybill wrote it.
 */
export function migrateSqlite(connection: Connection, path: string): void {
  const wanted = SQLITE_STEPS.length;
  try {
    if (versionOf(connection, path) === wanted) return;
    connection.run("BEGIN IMMEDIATE");
    // Read again inside the lock: `serve` and `token new` may open a file at the same moment.
    const found = versionOf(connection, path);
    // By another connection, which sees what is committed. A copy that is there is of an upgrade that was taken back or
    // did not get to its end: what was there before this one is here still.
    if (found < wanted && hasTables(connection)) copyDatabase(path, `${path}.before-${wanted}`, "commit");
    for (const step of SQLITE_STEPS.slice(found)) connection.run(step);
    if (found < wanted) connection.run(`PRAGMA user_version = ${wanted}`);
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

function hasTables(connection: Connection): boolean {
  return connection.query("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== null;
}
