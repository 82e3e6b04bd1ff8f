import type { Database, Sql } from "../storage/database.ts";
import { recordChange, type By } from "../events/events.ts";
import type { Promotion } from "./promotion.ts";
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
    const stop = fromRow(row);
    await recordChange(sql, by, {
      action: `pin.${place.kind}`,
      subject: subjectOf(place),
      before: null,
      after: stop,
      reason,
    });
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
    await recordChange(sql, by, {
      action: `pin.un${place.kind}`,
      subject: subjectOf(place),
      before: fromRow(row),
      after: null,
    });
    return true;
  });
}

function subjectOf(place: StopPlace): string {
  if (place.kind === "frozen") return "*";
  return `${place.template_name}${place.kind === "held" ? `/${place.region}` : `@${place.image_digest}`}`;
}

/** Everything that stands against some change of the pin, the widest first. */
export async function stopsOf(sql: Sql, env: string, template: string, region: string): Promise<Stop[]> {
  const rows = await sql.rows<Row>(
    `SELECT kind, scope, reason, set_at, set_by FROM pin_stops
     WHERE env = $1 AND (kind = 'frozen' OR (template_name = $2 AND (kind = 'vetoed' OR scope = $3)))
     ORDER BY kind, scope`,
    env,
    template,
    region,
  );
  return rows.map(fromRow);
}

/** Throws the refusal of the first stop that this promotion runs into. */
export async function refuseStopped(sql: Sql, env: string, promotion: Promotion): Promise<void> {
  const { template_name, region, image_digest } = promotion;
  const stops = await stopsOf(sql, env, template_name, region);
  const stop = stops.find((one) => one.image_digest === undefined || one.image_digest === image_digest);
  if (stop === undefined) return;
  throw new WireRefusal(
    stop.kind,
    `${stop.kind} by ${stop.by} since ${stop.at}: ${stop.reason}`,
    {},
    { stop },
  );
}
