import type { JsonValue } from "../../base/json.ts";
import type { Database, WriteSql } from "../storage/database.ts";
import { PutTable } from "../storage/put-rows.ts";
import { headAfter } from "../storage/stored-head.ts";
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
  const texts = { ...change, before: stored(change.before), after: stored(change.after) };
  return recordTexts(sql, by, texts, null);
}

/** A change of which the states are JSON text already. */
export type TextChange = Change<string | null>;

/** The same for texts. `previous` is the event before about the same pin. */
export function recordTexts(sql: WriteSql, by: By, change: TextChange, previous: number | null): number {
  return append(sql, by, "allowed", change, previous);
}

export function recordDenial(
  database: Database,
  by: By,
  denied: { readonly action: string; readonly subject: string; readonly reason: string },
): Promise<void> {
  return database.write(async (sql) => {
    append(sql, by, "denied", { ...denied, before: null, after: null }, null);
  });
}

function stored(value: JsonValue): string | null {
  return value === null ? null : JSON.stringify(value);
}

const EVENTS = new PutTable(
  `INSERT INTO events (seq, at, env, actor, action, decision, subject, reason, before_json, after_json, request_id,
     sha256, previous) VALUES`,
  13,
);

/** Writes are one after the other, so the head is still the last event when this one becomes it. */
function append(
  { memory, put }: WriteSql,
  by: By,
  decision: "allowed" | "denied",
  { action, subject, reason, before, after }: TextChange,
  previous: number | null,
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
  put(EVENTS, event.seq, [...Object.values(event), sha256, previous]);
  memory.head = headAfter(memory.head, event.seq, sha256, event);
  return event.seq;
}
