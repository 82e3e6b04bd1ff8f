import { wholeNumber } from "../builds/build-query.ts";
import { readEvents } from "./event-log.ts";
import type { Route } from "../router.ts";
import { json, WireRefusal } from "../http/wire.ts";

const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 1_000;

/** The record of every environment: without all of it the chain cannot be checked. */
export const EVENT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/events",
    access: "audit:read",
    action: "event.list",
    answer: async ({ query }, { database }) => {
      const after = wholeNumber(query, "after", 0, 0);
      const limit = wholeNumber(query, "limit", DEFAULT_LIMIT, 1);
      if (limit > MAX_LIMIT) throw new WireRefusal("invalid_query", `limit must be 1..${MAX_LIMIT}`);
      return json(await readEvents(database, after, limit));
    },
  },
];
