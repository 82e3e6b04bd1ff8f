import { LIMITS } from "../../base/limits.ts";
import { refuseOutside } from "../tokens/bounds.ts";
import { ifMatchHolds } from "../http/etag.ts";
import { keepReceipt, lastReceipted, planeId, receiptsOf } from "./pin-receipts.ts";
import { etagOf, findPin } from "./pin-rows.ts";
import { readPlace } from "./promotion.ts";
import { readJsonBody } from "../http/request-body.ts";
import type { Route } from "../router.ts";
import { json, requireMap, WireRefusal } from "../http/wire.ts";

const PATH = "/v1/pins/{template}/{region}/receipts";

/** Signed receipts of promotions: kept for the version that a pin has, read back by whoever verifies it. */
export const PIN_RECEIPT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: PATH,
    access: "pins:read",
    action: "pin.receipts",
    answer: async ({ env, params, bounds }, { database }) => {
      const place = readPlace(params);
      refuseOutside(bounds, "templates", place.template_name);
      const read = await database.read(async (sql) => {
        const found = await findPin(sql, env, place.template_name, place.region);
        // Receipts are only ever added behind the row's own event, so a change in between takes none away.
        const receipts = found === null ? [] : await receiptsOf(sql, env, place, found.version);
        return { plane: await planeId(sql), found, receipts };
      });
      const { plane, found, receipts } = read;
      if (found === null) throw new WireRefusal("pin_not_found", "there is no such pin", {}, { plane, env });
      const last = await lastReceipted(database, env, place);
      const pin = { ...found.pin, version: found.version };
      return json({ plane, env, pin, receipts, last_receipted_version: last }, 200, { etag: etagOf(found) });
    },
  },
  {
    method: "POST",
    path: PATH,
    access: "pins:write",
    action: "pin.receipt",
    answer: async ({ request, env, params, by, bounds }, { database }) => {
      const { template_name, region } = readPlace(params);
      refuseOutside(bounds, "templates", template_name);
      const condition = request.headers.get("if-match");
      if (condition === null || condition.trim() === "*")
        throw new WireRefusal(
          "precondition_required",
          "send If-Match with the ETag of the pin as you read it",
        );
      const envelope = requireMap(await readJsonBody(request), "a DSSE envelope");
      if (Buffer.byteLength(JSON.stringify(envelope)) > LIMITS.receiptBytes)
        throw new WireRefusal("too_large", `a receipt must be <= ${LIMITS.receiptBytes} bytes`);
      const kept = await database.write(async (sql) => {
        const found = await findPin(sql, env, template_name, region);
        if (found === null) throw new WireRefusal("pin_not_found", "there is no such pin");
        if (!ifMatchHolds(condition, etagOf(found)))
          throw new WireRefusal("stale_version", "the pin was changed since it was read", {
            etag: etagOf(found),
          });
        return keepReceipt(sql, env, found, envelope, by);
      });
      return json(kept, 200);
    },
  },
];
