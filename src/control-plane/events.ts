import type { JsonValue } from "../base/json.ts";
import type { Database, Sql } from "./database.ts";

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

async function append(sql: Sql, row: Row): Promise<number> {
  const [added] = await sql.rows<{ seq: number }>(
    `INSERT INTO events (at, env, actor, action, decision, subject, reason, before_json, after_json, request_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING seq`,
    row.by.at,
    row.by.env,
    row.by.actor,
    row.action,
    row.decision,
    row.subject,
    row.reason,
    row.before,
    row.after,
    row.by.requestId,
  );
  if (added === undefined) throw new Error("the insert of an event returned no row");
  return added.seq;
}
