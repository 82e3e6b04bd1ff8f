import { isMap } from "../../base/decode.ts";
import { isImageDigest, type ImageDigest } from "../../base/digest.ts";
import { parseJson, type JsonValue } from "../../base/json.ts";
import type { Database, Sql } from "../storage/database.ts";
import { eachPinEvent, pinEvents } from "./pin-events.ts";
import type { PinPlace } from "./promotion.ts";
import { WireRefusal } from "../http/wire.ts";

/** One change of a pin, from the append-only events. `version` is the one that the row had after it. */
type Change = {
  readonly version: number;
  readonly at: string;
  readonly by: string;
  readonly action: string;
  readonly reason: string | null;
  readonly before: JsonValue;
  readonly after: JsonValue;
};

/** The newest changes of a pin first, at most `limit` of those before version `before`. */
export async function pinHistory(
  database: Database,
  env: string,
  place: PinPlace,
  before: number,
  limit: number,
): Promise<Change[]> {
  const events = await database.read((sql) => pinEvents(sql, env, place, before, limit));
  return events.map(({ seq, at, action, reason, actor, before_json, after_json }) => ({
    version: seq,
    at,
    action,
    reason,
    by: actor,
    before: stored(before_json),
    after: stored(after_json),
  }));
}

/** What a rollback goes back to: a version, a digest that was pinned here, or without either the one before. */
export type RollbackTarget = { readonly version?: number; readonly digest?: ImageDigest };

const WROTE: ReadonlySet<string> = new Set(["pin.promote", "pin.rollback", "pin.break_glass"]);

/** The digest and commit of an earlier state of the pin. Throws WireRefusal `not_in_history`. */
export async function earlierPin(
  sql: Sql,
  env: string,
  place: PinPlace,
  now: string,
  target: RollbackTarget,
): Promise<{ readonly image_digest: ImageDigest; readonly git_sha?: string }> {
  for await (const row of eachPinEvent(sql, env, place)) {
    if (!WROTE.has(row.action)) continue;
    const after = stored(row.after_json);
    const digest = isMap(after) ? after["image_digest"] : undefined;
    if (!isMap(after) || typeof digest !== "string" || !isImageDigest(digest)) continue;
    const isIt =
      target.version !== undefined
        ? row.seq === target.version
        : target.digest !== undefined
          ? digest === target.digest
          : digest !== now;
    const gitSha = after["git_sha"];
    if (isIt) return { image_digest: digest, ...(typeof gitSha === "string" ? { git_sha: gitSha } : {}) };
  }
  throw new WireRefusal("not_in_history", "that state was never pinned here; promote it instead");
}

function stored(text: string | null): JsonValue {
  return text === null ? null : parseJson(text, { what: "an event", code: "storage_failed" });
}
