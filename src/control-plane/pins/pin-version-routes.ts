import { isImageDigest } from "../../base/digest.ts";
import type { JsonMap, JsonValue } from "../../base/json.ts";
import { refuseOutside } from "../tokens/bounds.ts";
import { wholeNumber, pageLimit } from "../http/query.ts";
import { earlierPin, pinHistory, type RollbackTarget } from "./pin-history.ts";
import { once, readKey } from "./idempotency.ts";
import { pinPage, showPin } from "./pin-list.ts";
import { cursorText, readPinQuery } from "./pin-query.ts";
import type { Database, WriteSql } from "../storage/database.ts";
import { etagOf, findPin, type VersionedPin } from "./pin-rows.ts";
import { writePin, type Condition } from "./pins.ts";
import { readPlace, readPromotion, readReason, refuseUnscoped, type PinPlace } from "./promotion.ts";
import { readJsonBody } from "../http/request-body.ts";
import type { Call, Route } from "../router.ts";
import { json, requireMap, WireRefusal } from "../http/wire.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const PATH = "/v1/pins/{template}/{region}";

/** One pin with its version: read, replaced only as it was read, its history, the way back. */
export const PIN_VERSION_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/pins",
    access: "pins:read",
    action: "pin.list",
    answer: async ({ env, query, bounds }, { database }) => {
      const { pins, next } = await pinPage(database, env, readPinQuery(query), bounds.templates);
      return json({ pins: pins.map(shown), next_after: next === null ? null : cursorText(next) });
    },
  },
  {
    method: "GET",
    path: PATH,
    access: "pins:read",
    action: "pin.show",
    answer: async (call, { database }) => {
      const { found, stops, vetoes } = await showPin(database, call.env, placeOf(call));
      const told = { stops: [...stops], vetoes };
      if (found === null) throw new WireRefusal("pin_not_found", "there is no such pin", {}, told);
      return json({ ...shown(found), ...told }, 200, { etag: etagOf(found) });
    },
  },
  {
    method: "PUT",
    path: PATH,
    access: "pins:write",
    action: "pin.promote",
    answer: async (call, { database, trustPolicy }) => {
      const place = placeOf(call);
      const condition = readCondition(call.request.headers);
      const promotion = readPromotion(inPlace(await readJsonBody(call.request), place));
      refuseUnscoped(promotion, call.scopes);
      return writtenOnce(call, database, [condition, promotion], (sql) =>
        writePin(sql, call.env, promotion, condition, call.by, trustPolicy()),
      );
    },
  },
  {
    method: "GET",
    path: `${PATH}/history`,
    access: "pins:read",
    action: "pin.history",
    answer: async (call, { database }) => {
      const limit = pageLimit(call.query, DEFAULT_LIMIT, MAX_LIMIT);
      const before = wholeNumber(call.query, "before", Number.MAX_SAFE_INTEGER, 1);
      const history = await pinHistory(database, call.env, placeOf(call), before, limit);
      const oldest = history.at(-1)?.version ?? null;
      return json({ history, next_before: history.length < limit ? null : oldest });
    },
  },
  {
    method: "POST",
    path: `${PATH}/rollback`,
    access: "pins:write",
    action: "pin.rollback",
    answer: async (call, { database, trustPolicy }) => {
      const place = placeOf(call);
      const condition = readCondition(call.request.headers);
      const body = inPlace(await readJsonBody(call.request), place);
      const force = { rollback: true, breakGlass: false, reason: readReason(body) };
      const target = readTarget(body);
      return writtenOnce(call, database, [condition, target, force], async (sql) => {
        const now = await findPin(sql, call.env, place.template_name, place.region);
        if (now === null) throw new WireRefusal("pin_not_found", "there is no such pin");
        const earlier = await earlierPin(sql, call.env, place, now.pin.image_digest, target);
        return writePin(sql, call.env, { ...place, ...earlier, force }, condition, call.by, trustPolicy());
      });
    },
  },
];

/** A write whose repetition under the same key gets the first answer again, and no 412 from its own success. */
async function writtenOnce(
  call: Call,
  database: Database,
  asked: JsonValue,
  write: (sql: WriteSql) => Promise<VersionedPin>,
): Promise<Response> {
  const key = readKey(call.request.headers);
  const request = (): string => JSON.stringify([call.request.method, subjectOf(call), asked]);
  const text = await database.write((sql) =>
    once(sql, call.by, key, request, async () => {
      const written = await write(sql);
      return JSON.stringify({ etag: etagOf(written), body: shown(written) });
    }),
  );
  const { etag, body }: { etag: string; body: JsonMap } = JSON.parse(text);
  return json(body, 200, { etag });
}

function shown({ pin, version }: VersionedPin): JsonMap {
  return { ...pin, version };
}

function placeOf({ params, bounds }: Call): PinPlace {
  const place = readPlace(params);
  refuseOutside(bounds, "templates", place.template_name);
  return place;
}

function subjectOf(call: Call): string {
  const { template_name, region } = placeOf(call);
  return `${template_name}/${region}`;
}

/** The body names the pin in its path, or does not name it at all. */
function inPlace(body: JsonValue, place: PinPlace): JsonMap {
  const map = requireMap(body);
  for (const [name, value] of Object.entries(place)) {
    if ((map[name] ?? value) !== value)
      throw new WireRefusal("invalid_field", `${name} is not the one in the path`);
  }
  return { ...map, ...place };
}

/** RFC 6585 §3: without a condition the write could undo one that its sender has not seen. */
function readCondition(headers: Headers): Condition {
  const [ifMatch, ifNoneMatch] = [headers.get("if-match"), headers.get("if-none-match")];
  if (ifMatch !== null && ifNoneMatch === null) return { kind: "version", ifMatch };
  if (ifMatch === null && ifNoneMatch?.trim() === "*") return { kind: "absent" };
  throw new WireRefusal(
    "precondition_required",
    'send either If-Match with the ETag of the pin, or "If-None-Match: *" for a pin that is not there yet',
  );
}

function readTarget(body: JsonMap): RollbackTarget {
  const [version, digest] = [body["to_version"] ?? null, body["to_digest"] ?? null];
  if (version !== null && digest !== null)
    throw new WireRefusal("invalid_field", "to_version and to_digest exclude each other");
  if (digest !== null) {
    if (typeof digest !== "string" || !isImageDigest(digest))
      throw new WireRefusal("invalid_field", "to_digest must be sha256:<64 hex>");
    return { digest };
  }
  if (version === null) return {};
  if (typeof version !== "number" || !Number.isSafeInteger(version))
    throw new WireRefusal("invalid_field", "to_version must be a whole number");
  return { version };
}
