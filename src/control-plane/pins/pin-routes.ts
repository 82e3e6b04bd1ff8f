import { sha256Of } from "../../base/hashing.ts";
import { refuseOutside } from "../tokens/bounds.ts";
import { once, readKey } from "./idempotency.ts";
import { listPins, writePin } from "./pins.ts";
import { readPromotion, refuseUnscoped } from "./promotion.ts";
import type { WriteSql } from "../storage/database.ts";
import { readJsonBody } from "../http/request-body.ts";
import type { Route } from "../router.ts";
import { isWithin } from "../tokens/token-bounds.ts";
import { jsonText } from "../http/wire.ts";

/** The routes that promotion scripts have always called. */
export const PIN_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/cp/admin/runtime-image/promote",
    access: "pins:write",
    action: "pin.promote",
    answer: async ({ request, env, by, scopes, bounds }, { database, trustPolicy }) => {
      const promotion = readPromotion(await readJsonBody(request));
      refuseOutside(bounds, "templates", promotion.template_name);
      refuseUnscoped(promotion, scopes);
      const key = readKey(request.headers);
      const write = async (sql: WriteSql): Promise<string> =>
        (await writePin(sql, env, promotion, { kind: "none" }, by, trustPolicy())).json;
      const asked = (): string => JSON.stringify(promotion);
      const body = await database.write(
        key === null ? write : (sql) => once(sql, by, key, asked, () => write(sql)),
      );
      return jsonText(body);
    },
  },
  {
    method: "GET",
    path: "/cp/admin/runtime-image",
    access: "pins:read",
    action: "pin.list",
    answer: async ({ env, bounds }, { database }) => {
      const pins = (await listPins(database, env)).map(({ pin }) => pin);
      const list = JSON.stringify({
        pins: pins.filter((pin) => isWithin(bounds.templates, pin.template_name)),
      });
      // Strong, since it is made of the bytes: it tells clients that this server knows versions.
      return jsonText(list, 200, { etag: `"${sha256Of(list).slice(0, 32)}"` });
    },
  },
];
