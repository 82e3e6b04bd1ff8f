import { listPins, promotePin } from "./pins.ts";
import { readPromotion } from "./promotion.ts";
import { readJsonBody } from "./request-body.ts";
import type { Route } from "./router.ts";
import { json } from "./wire.ts";

/** The routes that promotion scripts have always called. */
export const PIN_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/cp/admin/runtime-image/promote",
    access: "pins:write",
    action: "pin.promote",
    answer: async ({ request, env, by }, { database }) =>
      json(await promotePin(database, env, readPromotion(await readJsonBody(request)), by)),
  },
  {
    method: "GET",
    path: "/cp/admin/runtime-image",
    access: "pins:read",
    action: "pin.list",
    answer: async ({ env }, { database }) => json({ pins: await listPins(database, env) }),
  },
];
