import { LIMITS } from "../../base/limits.ts";
import type { Database } from "../storage/database.ts";
import { NO_EVENT, type ChainedEvent, type EventHead } from "./event-chain.ts";
import type { EventPage } from "./event-document.ts";

const COLUMNS =
  "seq, at, env, actor, action, decision, subject, reason, before_json, after_json, request_id, sha256";

/** Half of what a reader takes: the escapes of JSON may double a text. */
const PAGE_BYTES = LIMITS.eventPageBytes / 4;

/** At most `limit` events after the number `after`, fewer when they are large, and the head of the record. */
export function readEvents(database: Database, after: number, limit: number): Promise<EventPage> {
  return database.read(async (sql) => {
    // The head first: an event that is added in between only makes the next page.
    const [head] = await sql.rows<EventHead>("SELECT seq, sha256 FROM event_head");
    const last = head ?? { seq: 0, sha256: NO_EVENT };
    const rows = await sql.rows<ChainedEvent>(
      `SELECT ${COLUMNS} FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`,
      after,
      last.seq,
      limit,
    );
    let bytes = 0;
    const events = rows.filter((row, at) => {
      bytes += (row.before_json?.length ?? 0) + (row.after_json?.length ?? 0) + 500;
      return at === 0 || bytes <= PAGE_BYTES;
    });
    return { events, head: last };
  });
}
