import { LIMITS } from "../../base/limits.ts";
import { wholeNumber, pageLimit } from "../http/query.ts";
import { readEvents } from "./event-log.ts";
import type { Route } from "../router.ts";
import { json } from "../http/wire.ts";

const DEFAULT_LIMIT = 500;

/** The record of every environment: without all of it the chain cannot be checked. */
export const EVENT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/events",
    access: "audit:read",
    action: "event.list",
    answer: async ({ query }, { database }) => {
      const after = wholeNumber(query, "after", 0, 0);
      const limit = pageLimit(query, DEFAULT_LIMIT, LIMITS.eventsOfPage);
      return json(await readEvents(database, after, limit));
    },
  },
];
