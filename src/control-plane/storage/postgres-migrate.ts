import type { SQL } from "bun";
import { Failure } from "../../base/failure.ts";
import { WRITE_LOCK } from "./postgres-lock.ts";
import { POSTGRES_STEPS } from "./postgres-migrations.ts";

/**
 * Runs the steps that this database has not seen, all of them or none. What was there before is copied into the
 * schema `before_<version>` first, the version that the steps lead to.
 */
export async function migratePostgres(pool: SQL, shown: string): Promise<void> {
  await pool.begin(async (sql) => {
    await sql.unsafe(WRITE_LOCK);
    await sql.unsafe("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
    const [row]: { version: bigint }[] = await sql.unsafe("SELECT version FROM schema_version");
    const found = Number(row?.version ?? 0);
    const wanted = POSTGRES_STEPS.length;
    if (found > wanted) {
      throw new Failure(
        "data_dir_invalid",
        `${shown} has schema ${found}; this waybill knows up to ${wanted}`,
        {
          hint: "run the newer waybill that wrote it",
        },
      );
    }
    if (found === wanted) return;
    if (found > 0) await keepCopy(sql, `before_${wanted}`, shown);
    for (const step of POSTGRES_STEPS.slice(found)) await sql.unsafe(step);
    await sql.unsafe("DELETE FROM schema_version");
    await sql.unsafe("INSERT INTO schema_version VALUES ($1)", [wanted]);
  });
}

async function keepCopy(sql: Pick<SQL, "unsafe">, schema: string, shown: string): Promise<void> {
  // Never of a try that was ended: those leave nothing. So it is of an upgrade that was taken back, and perhaps wanted.
  const there: unknown[] = await sql.unsafe("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema]);
  if (there.length > 0) {
    throw new Failure("data_dir_invalid", `${shown} has a schema ${schema} from an earlier upgrade`, {
      hint: `what is there now is copied into that name: rename or drop the schema ${schema} first`,
    });
  }
  // Others may keep tables beside ours, by any name.
  const tables: { name: string }[] = await sql.unsafe(
    "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema()",
  );
  await sql.unsafe(`CREATE SCHEMA ${schema}`);
  for (const { name } of tables) await sql.unsafe(`CREATE TABLE ${schema}.${name} AS TABLE ${name}`);
}
