import type { JsonValue } from "../../base/json.ts";
import type { Database, Sql } from "../storage/database.ts";
import { eventDigest, type EventHead } from "./event-chain.ts";

/** On whose behalf a change is made. */
export type By = {
  /** `api-token-<8 hex>` for a request, `cli` for the token commands, `anonymous` without a valid token. */
  readonly actor: string;
  /** The environment that the token is bound to; null without one. */
  readonly env: string | null;
  readonly at: string;
  readonly requestId: string | null;
};

type Change = {
  /** Noun and verb: `pin.promote`. */
  readonly action: string;
  /** What was changed: `codex/global`. */
  readonly subject: string;
  readonly before: JsonValue;
  readonly after: JsonValue;
  /** Why, where the one who asks has to say so. */
  readonly reason?: string;
};

type Row = {
  readonly by: By;
  readonly action: string;
  readonly decision: "allowed" | "denied";
  readonly subject: string;
  readonly reason: string | null;
  readonly before: string | null;
  readonly after: string | null;
};

/**
 * Called inside the write that makes the change, so that there is never one without the other. Resolves with the
 * number of the event.
 */
export function recordChange(sql: Sql, by: By, change: Change): Promise<number> {
  return append(sql, {
    by,
    action: change.action,
    decision: "allowed",
    subject: change.subject,
    reason: change.reason ?? null,
    before: stored(change.before),
    after: stored(change.after),
  });
}

export function recordDenial(
  database: Database,
  by: By,
  denied: { readonly action: string; readonly subject: string; readonly reason: string },
): Promise<void> {
  return database.write(async (sql) => {
    await append(sql, { by, ...denied, decision: "denied", before: null, after: null });
  });
}

function stored(value: JsonValue): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** Writes are one after the other, so the head is still the last event when this one becomes it. */
async function append(sql: Sql, row: Row): Promise<number> {
  const [head] = await sql.rows<EventHead>("SELECT seq, sha256 FROM event_head");
  if (head === undefined) throw new Error("the record of events has no head");
  const event = {
    seq: head.seq + 1,
    at: row.by.at,
    env: row.by.env,
    actor: row.by.actor,
    action: row.action,
    decision: row.decision,
    subject: row.subject,
    reason: row.reason,
    before_json: row.before,
    after_json: row.after,
    request_id: row.by.requestId,
  };
  const sha256 = eventDigest(head.sha256, event);
  await sql.run(
    `INSERT INTO events (seq, at, env, actor, action, decision, subject, reason, before_json, after_json,
       request_id, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    ...Object.values(event),
    sha256,
  );
  await sql.run("UPDATE event_head SET seq = $1, sha256 = $2", event.seq, sha256);
  return event.seq;
}
