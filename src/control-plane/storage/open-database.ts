import type { Database } from "./database.ts";
import type { PostgresAddress } from "./postgres-address.ts";

/**
 * Opens a SQLite file or a PostgreSQL database with its tables up to date; without `create` a file that is not there
 * is `data_dir_invalid`. Loads the one engine that is used. Throws Failure.
 */
export async function openDatabase(place: string | PostgresAddress, create: boolean): Promise<Database> {
  if (typeof place === "string") return (await import("./sqlite-database.ts")).openSqlite(place, create);
  return (await import("./postgres-database.ts")).openPostgres(place);
}
