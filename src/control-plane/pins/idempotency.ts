import { sha256Of } from "../../base/hashing.ts";
import type { SqlValue, WriteSql } from "../storage/database.ts";
import { PutTable } from "../storage/put-rows.ts";
import { Noted } from "../storage/write-memory.ts";
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

type Answered = { readonly request_sha256: SqlValue; readonly answer_json: SqlValue };

const ANSWERED = new PutTable(
  "INSERT INTO idempotency (actor, key, request_sha256, answer_json, expires_at) VALUES",
  5,
  `ON CONFLICT (actor, key) DO UPDATE SET request_sha256 = excluded.request_sha256,
     answer_json = excluded.answer_json, expires_at = excluded.expires_at`,
);

/** When keys that have ended were taken out last; they are no keys from their end on, whoever takes them out. */
const SWEPT = new Noted<number>();
const SWEEP_MS = 60_000;

/**
 * Does `act` once for each key of a caller: a repetition gets the first answer again, and another request under the
 * same key is refused. Writes are one after the other, so no two of one key are under way at once.
 */
export async function once(
  sql: WriteSql,
  by: By,
  key: string | null,
  request: () => string,
  act: () => Promise<string>,
): Promise<string> {
  if (key === null) return act();
  const request_sha256 = sha256Of(request());
  const now = Date.parse(by.at);
  await sweep(sql, now, by.at);
  const known = await answered(sql, by, key);
  if (known !== undefined && known.request_sha256 !== request_sha256) {
    throw new WireRefusal("key_reused", "this Idempotency-Key was used for another request");
  }
  if (typeof known?.answer_json === "string") return known.answer_json;
  const answer = await act();
  const expires_at = rfc3339Micros(new Date(now + KEPT_MS));
  sql.put(ANSWERED, idOf(by, key), [by.actor, key, request_sha256, answer, expires_at]);
  return answer;
}

function idOf({ actor }: By, key: string): string {
  return `${actor} ${key}`;
}

async function answered(sql: WriteSql, by: By, key: string): Promise<Answered | undefined> {
  const put = sql.waiting(ANSWERED, idOf(by, key));
  if (put !== undefined) return { request_sha256: put[2] ?? null, answer_json: put[3] ?? null };
  const [known] = await sql.peek<Answered>(
    "SELECT request_sha256, answer_json FROM idempotency WHERE actor = $1 AND key = $2 AND expires_at > $3",
    by.actor,
    key,
    by.at,
  );
  return known;
}

async function sweep(sql: WriteSql, now: number, at: string): Promise<void> {
  const last = SWEPT.get(sql.memory, "");
  if (last !== undefined && Math.abs(now - last) < SWEEP_MS) return;
  await sql.run("DELETE FROM idempotency WHERE expires_at <= $1", at);
  SWEPT.set(sql.memory, "", now);
}
