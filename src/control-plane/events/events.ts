import type { JsonValue } from "../../base/json.ts";
import type { Database, WriteSql } from "../storage/database.ts";
import { PutTable } from "../storage/put-rows.ts";
import { eventDigest } from "./event-chain.ts";

/** On whose behalf a change is made. */
export type By = {
  /** `api-token-<8 hex>` for a request, `cli` for the token commands, `anonymous` without a valid token. */
  readonly actor: string;
  /** The environment that the token is bound to; null without one. */
  readonly env: string | null;
  readonly at: string;
  readonly requestId: string | null;
};

type Change<State> = {
  /** Noun and verb: `pin.promote`. */
  readonly action: string;
  /** What was changed: `codex/global`. */
  readonly subject: string;
  readonly before: State;
  readonly after: State;
  /** Why, where the one who asks has to say so. */
  readonly reason?: string;
};

/**
 * Called inside the write that makes the change, so that there is never one without the other. Gives the number of
 * the event.
 */
export function recordChange(sql: WriteSql, by: By, change: Change<JsonValue>): number {
  return recordTexts(sql, by, { ...change, before: stored(change.before), after: stored(change.after) });
}

/** The same for states that are JSON text already. */
export function recordTexts(sql: WriteSql, by: By, change: Change<string | null>): number {
  return append(sql, by, "allowed", change);
}

export function recordDenial(
  database: Database,
  by: By,
  denied: { readonly action: string; readonly subject: string; readonly reason: string },
): Promise<void> {
  return database.write(async (sql) => {
    append(sql, by, "denied", { ...denied, before: null, after: null });
  });
}

function stored(value: JsonValue): string | null {
  return value === null ? null : JSON.stringify(value);
}

const EVENTS = new PutTable(
  `INSERT INTO events (seq, at, env, actor, action, decision, subject, reason, before_json, after_json, request_id,
     sha256) VALUES`,
  12,
);

/** Writes are one after the other, so the head is still the last event when this one becomes it. */
function append(
  { memory, put }: WriteSql,
  by: By,
  decision: "allowed" | "denied",
  { action, subject, reason, before, after }: Change<string | null>,
): number {
  const event = {
    seq: memory.head.seq + 1,
    at: by.at,
    env: by.env,
    actor: by.actor,
    action,
    decision,
    subject,
    reason: reason ?? null,
    before_json: before,
    after_json: after,
    request_id: by.requestId,
  };
  const sha256 = eventDigest(memory.head.sha256, event);
  put(EVENTS, event.seq, [...Object.values(event), sha256]);
  memory.head = { seq: event.seq, sha256 };
  return event.seq;
}
