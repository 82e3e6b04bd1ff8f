import type { Database } from "../../../src/control-plane/storage/database.ts";

/** A row that either database takes; one `name` is one row. */
export function addArtifact(database: Database, name: string): Promise<number> {
  return database.write((sql) =>
    sql.run("INSERT INTO artifacts VALUES ($1, 1, 'now', 'test')", name.repeat(64).slice(0, 64)),
  );
}

export async function countArtifacts(database: Database): Promise<number> {
  const [row] = await database.read((sql) => sql.rows<{ n: number }>("SELECT count(*) AS n FROM artifacts"));
  return row?.n ?? -1;
}
