import type { Database, Sql, WriteSql } from "../storage/database.ts";
import { Noted } from "../storage/write-memory.ts";
import { recordTexts, type By, type TextChange } from "../events/events.ts";
import { recordAboutPin } from "./pin-events.ts";
import type { PinPlace, Promotion } from "./promotion.ts";
import { WireRefusal } from "../http/wire.ts";

/** What keeps pins where they are: one pin held, one digest vetoed, or the whole environment frozen. */
export type StopPlace =
  | { readonly kind: "held"; readonly template_name: string; readonly region: string }
  | { readonly kind: "vetoed"; readonly template_name: string; readonly image_digest: string }
  | { readonly kind: "frozen" };

/** A stop as it is on the wire. */
export type Stop = {
  readonly kind: "held" | "vetoed" | "frozen";
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  /** The one digest that a veto is about. */
  readonly image_digest?: string;
};

type Row = {
  readonly kind: "held" | "vetoed" | "frozen";
  readonly scope: string;
  readonly reason: string;
  readonly set_at: string;
  readonly set_by: string;
};

function fromRow({ kind, scope, reason, set_at, set_by }: Row): Stop {
  return { kind, reason, by: set_by, at: set_at, ...(kind === "vetoed" ? { image_digest: scope } : {}) };
}

function keyOf(place: StopPlace): readonly [kind: string, template: string, scope: string] {
  if (place.kind === "frozen") return [place.kind, "", ""];
  return [place.kind, place.template_name, place.kind === "held" ? place.region : place.image_digest];
}

/** By environment: whether there is no stop in it at all, as nearly always. */
const UNSTOPPED = new Noted<boolean>();

/** Sets a stop, or gives the one that is there a new reason. */
export function setStop(
  database: Database,
  env: string,
  place: StopPlace,
  reason: string,
  by: By,
): Promise<Stop> {
  return database.write(async (sql) => {
    const [row] = await sql.rows<Row>(
      `INSERT INTO pin_stops (env, kind, template_name, scope, reason, set_at, set_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (env, kind, template_name, scope) DO UPDATE SET
         reason = excluded.reason, set_at = excluded.set_at, set_by = excluded.set_by
       RETURNING kind, scope, reason, set_at, set_by`,
      env,
      ...keyOf(place),
      reason,
      by.at,
      by.actor,
    );
    if (row === undefined) throw new Error("the upsert of a stop returned no row");
    UNSTOPPED.set(sql.memory, env, false);
    const stop = fromRow(row);
    const change = { action: `pin.${place.kind}`, before: null, after: JSON.stringify(stop), reason };
    await recordStop(sql, env, place, by, change);
    return stop;
  });
}

/** Whether there was one to lift. */
export function liftStop(database: Database, env: string, place: StopPlace, by: By): Promise<boolean> {
  return database.write(async (sql) => {
    const [row] = await sql.rows<Row>(
      `DELETE FROM pin_stops WHERE env = $1 AND kind = $2 AND template_name = $3 AND scope = $4
       RETURNING kind, scope, reason, set_at, set_by`,
      env,
      ...keyOf(place),
    );
    if (row === undefined) return false;
    UNSTOPPED.set(sql.memory, env, undefined);
    const change = { action: `pin.un${place.kind}`, before: JSON.stringify(fromRow(row)), after: null };
    await recordStop(sql, env, place, by, change);
    return true;
  });
}

async function recordStop(
  sql: WriteSql,
  env: string,
  place: StopPlace,
  by: By,
  change: Omit<TextChange, "subject">,
): Promise<void> {
  if (place.kind === "held") {
    await recordAboutPin(sql, env, place, by, change);
    return;
  }
  const subject = place.kind === "frozen" ? "*" : `${place.template_name}@${place.image_digest}`;
  recordTexts(sql, by, { ...change, subject }, null);
}

const COLUMNS = "kind, scope, reason, set_at, set_by";

/** Where the pin cannot be changed at all: `$2` and `$3` are its template and region. */
const EVERY_CHANGE = `SELECT ${COLUMNS} FROM pin_stops WHERE env = $1 AND kind = 'frozen'
     UNION ALL
     SELECT ${COLUMNS} FROM pin_stops WHERE env = $1 AND kind = 'held' AND template_name = $2 AND scope = $3`;

/** Of the vetoes of a template, the newest: a scanner that finds some every night has thousands in a year. */
const SHOWN_VETOES = 100;

/**
 * What stands against some change of the pin, the widest first,
 * and how many digests of the template are vetoed in all.
 */
export async function shownStops(
  { rows: read }: Pick<Sql, "rows">,
  env: string,
  { template_name, region }: PinPlace,
): Promise<{ readonly stops: Stop[]; readonly vetoes: number }> {
  const wide = await read<Row>(EVERY_CHANGE, env, template_name, region);
  const vetoed = "FROM pin_stops WHERE env = $1 AND kind = 'vetoed' AND template_name = $2";
  const newest = await read<Row>(
    `SELECT ${COLUMNS} ${vetoed} ORDER BY set_at DESC, scope LIMIT ${SHOWN_VETOES}`,
    env,
    template_name,
  );
  const [all] = await read<{ vetoes: number }>(`SELECT count(*) AS vetoes ${vetoed}`, env, template_name);
  const order = (a: Row, b: Row): number => byText(a.kind, b.kind) || byText(a.scope, b.scope);
  return { stops: [...wide, ...newest].sort(order).map(fromRow), vetoes: all?.vetoes ?? 0 };
}

/** At most `limit` vetoes of a template behind the digest `after`, by digest. */
export async function vetoesOf(
  { rows: read }: Pick<Sql, "rows">,
  env: string,
  template: string,
  after: string,
  limit: number,
): Promise<Stop[]> {
  const rows = await read<Row>(
    `SELECT ${COLUMNS} FROM pin_stops WHERE env = $1 AND kind = 'vetoed' AND template_name = $2 AND scope > $3
     ORDER BY scope LIMIT $4`,
    env,
    template,
    after,
    limit,
  );
  return rows.map(fromRow);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Whether an earlier write has seen that nothing in the environment is stopped. */
export function isUnstopped({ memory }: WriteSql, env: string): boolean {
  return UNSTOPPED.get(memory, env) === true;
}

/** Throws the refusal of the first stop that this promotion runs into. */
export async function refuseStopped(sql: WriteSql, env: string, promotion: Promotion): Promise<void> {
  const { template_name, region, image_digest } = promotion;
  if (UNSTOPPED.get(sql.memory, env) === undefined) {
    const some = await sql.peek("SELECT 1 FROM pin_stops WHERE env = $1 LIMIT 1", env);
    UNSTOPPED.set(sql.memory, env, some.length === 0);
    if (some.length === 0) return;
  }
  // Each part is one look into the key; with OR, or sorted there, it takes fifteen times as long in every promotion.
  const rows = await sql.peek<Row>(
    `${EVERY_CHANGE} UNION ALL
     SELECT ${COLUMNS} FROM pin_stops WHERE env = $1 AND kind = 'vetoed' AND template_name = $2 AND scope = $4`,
    env,
    template_name,
    region,
    image_digest,
  );
  // The widest first: frozen, held, vetoed.
  const [stop] = rows.sort((a, b) => byText(a.kind, b.kind)).map(fromRow);
  if (stop === undefined) return;
  throw new WireRefusal(
    stop.kind,
    `${stop.kind} by ${stop.by} since ${stop.at}: ${stop.reason}`,
    {},
    { stop },
  );
}
