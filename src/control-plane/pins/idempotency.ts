import { sha256Of } from "../../base/hashing.ts";
import type { Sql } from "../storage/database.ts";
import type { By } from "../events/events.ts";
import { rfc3339Micros } from "../http/instant.ts";
import { WireRefusal } from "../http/wire.ts";

/** How long a key is remembered: longer than any CI run that could repeat itself. */
const KEPT_MS = 72 * 3_600_000;
const KEY = /^"?([\u0021\u0023-\u007e]{1,255})"?$/u;

/** The key of an `Idempotency-Key` header, with or without its quotes; null without the header. */
export function readKey(headers: Headers): string | null {
  const header = headers.get("idempotency-key");
  if (header === null) return null;
  const key = KEY.exec(header.trim())?.[1];
  if (key === undefined) throw new WireRefusal("invalid_field", "the Idempotency-Key is not a key");
  return key;
}

/**
 * Does `act` once for each key of a caller: a repetition gets the first answer again, and another request under the
 * same key is refused. Writes are one after the other, so no two of one key are under way at once.
 */
export async function once(
  sql: Sql,
  by: By,
  key: string | null,
  request: string,
  act: () => Promise<string>,
): Promise<string> {
  if (key === null) return act();
  const request_sha256 = sha256Of(request);
  await sql.run("DELETE FROM idempotency WHERE expires_at <= $1", by.at);
  const [known] = await sql.rows<{ request_sha256: string; answer_json: string }>(
    "SELECT request_sha256, answer_json FROM idempotency WHERE actor = $1 AND key = $2",
    by.actor,
    key,
  );
  if (known !== undefined && known.request_sha256 !== request_sha256) {
    throw new WireRefusal("key_reused", "this Idempotency-Key was used for another request");
  }
  if (known !== undefined) return known.answer_json;
  const answer = await act();
  const expires_at = rfc3339Micros(new Date(Date.parse(by.at) + KEPT_MS));
  await sql.run(
    "INSERT INTO idempotency (actor, key, request_sha256, answer_json, expires_at) VALUES ($1, $2, $3, $4, $5)",
    by.actor,
    key,
    request_sha256,
    answer,
    expires_at,
  );
  return answer;
}
