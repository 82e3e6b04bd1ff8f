import type { Database } from "../storage/database.ts";
import { fitting } from "../storage/fitting.ts";
import { NO_EVENT, type ChainedEvent, type EventHead } from "./event-chain.ts";
import type { EventPage } from "./event-document.ts";

const COLUMNS =
  "seq, at, env, actor, action, decision, subject, reason, before_json, after_json, request_id, sha256";

/** Of an event without its states. */
const EVENT_CHARS = 500;

/** At most `limit` events after the number `after`, fewer when they are large, and the head of the record. */
export function readEvents(database: Database, after: number, limit: number): Promise<EventPage> {
  return database.read(async (sql) => {
    // The head first: an event that is added in between only makes the next page.
    const [head] = await sql.rows<EventHead>("SELECT seq, sha256 FROM event_head");
    const last = head ?? { seq: 0, sha256: NO_EVENT };
    const sizes = await sql.rows<{ seq: number; chars: number }>(
      `SELECT seq, coalesce(length(before_json), 0) + coalesce(length(after_json), 0) + ${EVENT_CHARS} AS chars
       FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`,
      after,
      last.seq,
      limit,
    );
    const events = await sql.rows<ChainedEvent>(
      `SELECT ${COLUMNS} FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq`,
      after,
      fitting(sizes).at(-1)?.seq ?? after,
    );
    return { events, head: last };
  });
}
