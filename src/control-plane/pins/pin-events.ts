import { recordTexts, type By, type TextChange } from "../events/events.ts";
import type { Sql, WriteSql } from "../storage/database.ts";
import { currentPin, putPin } from "./pin-rows.ts";
import type { PinPlace } from "./promotion.ts";

/** An event about one pin, as it is stored. */
export type PinEvent = {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly decision: "allowed";
  readonly reason: string | null;
  readonly before_json: string | null;
  readonly after_json: string | null;
};

const COLUMNS = "seq, at, actor, action, decision, reason, before_json, after_json";
const OF_PIN = "env = $1 AND subject = $2 AND decision = 'allowed' AND substr(action, 1, 4) = 'pin.'";

/**
 * Events about a pin that is there name the one before, and the pin names the last one. An index would have another
 * page to write for each promotion, which is more than all the rest of it; only what names none is in one.
 * `$3` and `$4` are the pin; before event `$5`, at most `$6` of them.
 */
const NEWEST = `
  WITH RECURSIVE named (seq, previous, found) AS (
    SELECT seq, previous, CASE WHEN seq < $5 THEN 1 ELSE 0 END FROM events WHERE seq = coalesce(
      (SELECT previous FROM events WHERE seq = $5 AND ${OF_PIN}),
      (SELECT last_event FROM pins WHERE env = $1 AND template_name = $3 AND region = $4))
    UNION ALL
    SELECT e.seq, e.previous, n.found + CASE WHEN e.seq < $5 THEN 1 ELSE 0 END
      FROM named n JOIN events e ON e.seq = n.previous WHERE n.found < $6
  ), nameless AS (
    SELECT ${COLUMNS} FROM events WHERE ${OF_PIN} AND previous IS NULL AND seq < $5 ORDER BY seq DESC LIMIT $6
  )
  SELECT ${COLUMNS} FROM events WHERE seq IN (SELECT seq FROM named WHERE seq < $5 AND previous IS NOT NULL)
  UNION ALL SELECT ${COLUMNS} FROM nameless
  ORDER BY seq DESC LIMIT $6`;

/** The newest events about a pin before number `before`, at most `limit`. Each page of them costs the same. */
export function pinEvents(
  { rows }: Pick<Sql, "rows">,
  env: string,
  place: PinPlace,
  before: number,
  limit: number,
): Promise<PinEvent[]> {
  const { template_name, region } = place;
  return rows<PinEvent>(NEWEST, env, subjectOf(place), template_name, region, before, limit);
}

const PAGE = 100;

/** All events about a pin, the newest first; whoever has seen enough leaves. */
export async function* eachPinEvent(
  sql: Pick<Sql, "rows">,
  env: string,
  place: PinPlace,
): AsyncGenerator<PinEvent> {
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const page = await pinEvents(sql, env, place, before, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    before = last.seq;
  }
}

/** Records what happened to a pin, beside being promoted, or to the name of one that is not there yet. */
export async function recordAboutPin(
  sql: WriteSql,
  env: string,
  place: PinPlace,
  by: By,
  change: Omit<TextChange, "subject">,
): Promise<number> {
  const current = await currentPin(sql, env, place);
  const last = current?.lastEvent ?? null;
  const seq = recordTexts(sql, by, { ...change, subject: subjectOf(place) }, last);
  if (current !== null) putPin(sql, env, { ...current, lastEvent: seq });
  return seq;
}

export function subjectOf({ template_name, region }: PinPlace): string {
  return `${template_name}/${region}`;
}
