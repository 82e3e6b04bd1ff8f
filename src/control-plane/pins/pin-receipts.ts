import { decode, isMap, narrowed, object, string } from "../../base/decode.ts";
import { isImageDigest } from "../../base/digest.ts";
import { sha256Of } from "../../base/hashing.ts";
import { parseJson, type JsonMap, type JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Database, Sql, WriteSql } from "../storage/database.ts";
import type { By } from "../events/events.ts";
import { recordAboutPin, subjectOf } from "./pin-events.ts";
import type { VersionedPin } from "./pin-rows.ts";
import type { PinPlace } from "./promotion.ts";
import { statementIn } from "../attestations/envelope.ts";
import { WireRefusal } from "../http/wire.ts";

/** A signed receipt as it was handed in, with the event that keeps it. */
export type StoredReceipt = {
  /** The number of its event; receipts of one version come in this order. */
  readonly number: number;
  readonly version: number;
  readonly at: string;
  readonly by: string;
  readonly envelope: JsonValue;
};

/** The action of their events: receipts are a part of the pin's append-only history. */
const ACTION = "pin.receipt";

type Row = {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly after_json: string;
};

/** In the words of their index. */
const RECEIPTS = `SELECT seq, at, actor, after_json FROM events
  WHERE env = $1 AND subject = $2 AND action = 'pin.receipt' AND decision = 'allowed'`;

/**
 * The receipts of one version of a pin, oldest first. They are among the events after the one that wrote the row,
 * since none is taken for a version that the pin does not have.
 */
export async function receiptsOf(
  sql: Sql,
  env: string,
  place: PinPlace,
  version: number,
): Promise<StoredReceipt[]> {
  const rows = await sql.rows<Row>(`${RECEIPTS} AND seq > $3 ORDER BY seq`, env, subjectOf(place), version);
  return rows.flatMap(({ seq, at, actor, after_json }) => {
    const after = stored(after_json);
    if (!isMap(after) || after["version"] !== version) return [];
    return [{ number: seq, version, at, by: actor, envelope: after["envelope"] ?? null }];
  });
}

/** The version of the last receipt of the pin; null without any. */
export async function lastReceipted(
  database: Database,
  env: string,
  place: PinPlace,
): Promise<number | null> {
  const [row] = await database.read((sql) =>
    sql.rows<Row>(`${RECEIPTS} ORDER BY seq DESC LIMIT 1`, env, subjectOf(place)),
  );
  const after = row === undefined ? null : stored(row.after_json);
  return isMap(after) && typeof after["version"] === "number" ? after["version"] : null;
}

function stored(text: string): JsonValue {
  return parseJson(text, { what: "an event", code: "storage_failed" });
}

/**
 * Keeps a receipt for the version that the pin has now. The same one again is not kept twice. Throws WireRefusal
 * `stale_version`, `invalid_field` or `too_many_receipts`. Nobody's signature is checked here: whoever asks
 * for receipts says whose count.
 */
export async function keepReceipt(
  sql: WriteSql,
  env: string,
  { pin, version }: VersionedPin,
  envelope: JsonMap,
  by: By,
): Promise<StoredReceipt> {
  const { template_name, region, image_digest } = pin;
  const place = { template_name, region };
  refuseForeign(envelope, { template: template_name, region, digest: image_digest, version });
  const there = await receiptsOf(sql, env, place, version);
  const same = there.find((one) => JSON.stringify(one.envelope) === JSON.stringify(envelope));
  if (same !== undefined) return same;
  if (there.length >= LIMITS.receiptsOfVersion)
    throw new WireRefusal("too_many_receipts", `version ${version} has ${there.length} receipts already`);
  const after = JSON.stringify({ version, image_digest, envelope });
  const number = await recordAboutPin(sql, env, place, by, { action: ACTION, before: null, after });
  return { number, version, at: by.at, by: by.actor, envelope };
}

const PREDICATE = object({
  template: string(),
  region: string(),
  digest: narrowed("sha256:<64 lower-case hex>", isImageDigest),
});

/** A receipt of another pin, digest or version would only be noise between those that say something. */
function refuseForeign(
  envelope: JsonMap,
  wanted: {
    readonly template: string;
    readonly region: string;
    readonly digest: string;
    readonly version: number;
  },
): void {
  const statement = statementIn(envelope, refused);
  const predicate = isMap(statement) ? (statement["predicate"] ?? null) : null;
  const said = decode(PREDICATE, predicate);
  if (!said.ok) throw refused(said.problems.join("; "));
  const { template, region, digest } = said.value;
  const version = isMap(predicate) ? predicate["version"] : undefined;
  const isIt =
    template === wanted.template &&
    region === wanted.region &&
    digest === wanted.digest &&
    version === wanted.version;
  if (!isIt)
    throw refused(
      `it is not about ${wanted.template} in ${wanted.region} at ${wanted.digest}, version ${wanted.version}`,
    );
}

function refused(why: string): WireRefusal {
  return new WireRefusal("invalid_field", `that is no receipt of this pin: ${why}`);
}

/**
 * What tells this control plane from every other one: the digest of its first event,
 * which holds a random id of a token or a request and the millisecond it was made
 * in, and is never changed. A receipt names it, so that it counts on no other plane.
 */
export async function planeId(sql: Sql): Promise<string> {
  const [first] = await sql.rows<Record<string, string | null>>(
    "SELECT at, env, actor, action, subject, request_id FROM events ORDER BY seq LIMIT 1",
  );
  const { at, env, actor, action, subject, request_id } = first ?? {};
  return sha256Of(JSON.stringify([at, env, actor, action, subject, request_id]));
}
