import type { Sql } from "../storage/database.ts";
import { WireRefusal } from "../http/wire.ts";

/** Bytes that each environment may have stored; null is as many as come. */
export type Quota = number | null;

/** Bytes that an environment was the first to bring, artifacts and contexts together. */
async function useOf(sql: Sql, env: string): Promise<number> {
  const [row] = await sql.rows<{ bytes: number }>("SELECT bytes FROM storage_use WHERE env = $1", env);
  return row?.bytes ?? 0;
}

/**
 * Throws WireRefusal `quota_exceeded` when `more` bytes are too many. Asked before bytes are kept, it keeps them out.
 */
export async function refuseFull(sql: Sql, env: string, more: number, quota: Quota): Promise<void> {
  if (quota === null) return;
  const used = await useOf(sql, env);
  if (used + more <= quota) return;
  const text = `${env} has ${used} of ${quota} bytes stored; ${more} more are too many`;
  throw new WireRefusal("quota_exceeded", text, {}, { used_bytes: used, quota_bytes: quota });
}

/** Counts bytes that are new here, in the write that names them. Throws WireRefusal `quota_exceeded`. */
export async function countUse(sql: Sql, env: string, bytes: number, quota: Quota): Promise<void> {
  await refuseFull(sql, env, bytes, quota);
  await sql.run(
    `INSERT INTO storage_use (env, bytes) VALUES ($1, $2)
     ON CONFLICT (env) DO UPDATE SET bytes = storage_use.bytes + excluded.bytes`,
    env,
    bytes,
  );
}
