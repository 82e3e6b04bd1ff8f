import { isHostName } from "../addons/addon-fields.ts";
import { refuseOutside } from "../tokens/bounds.ts";
import { single, pageLimit } from "../http/query.ts";
import { labelsOf, setLabels } from "./host-labels.ts";
import { readLabels } from "./labels.ts";
import { readHostStatus } from "./host-status.ts";
import { findHost, listHosts, reportStatus } from "./hosts.ts";
import { readJsonBody } from "../http/request-body.ts";
import type { Call, Route } from "../router.ts";
import { json, requireMap, WireRefusal } from "../http/wire.ts";

const LABELS = "/v1/hosts/{host}/labels";
/** With a label a host gets what is assigned to it: add-ons and configuration that were meant for others. */
const CONFINED = "forbidden: the token is confined to hosts, and labels reach beyond one";

/** What runs where, as the hosts themselves say. */
export const HOST_ROUTES: readonly Route[] = [
  {
    method: "PUT",
    path: "/v1/hosts/{host}/status",
    access: "hosts:report",
    action: "host.report",
    answer: async (call, { database }) => {
      const host = hostOf(call);
      const status = readHostStatus(await readJsonBody(call.request));
      return json(await reportStatus(database, call.env, host, status, call.by));
    },
  },
  {
    method: "GET",
    path: "/v1/hosts/{host}",
    access: "hosts:read",
    action: "host.read",
    answer: async (call, { database }) => {
      const found = await database.read((sql) => findHost(sql, call.env, hostOf(call)));
      if (found === null) throw new WireRefusal("not_found", "no such host has reported");
      return json(found);
    },
  },
  {
    method: "PUT",
    path: LABELS,
    // It decides what runs on a host, so it takes the right to decide that; no host labels itself.
    access: "addons:write",
    action: "host.label",
    answer: async (call, { database }) => {
      const host = hostOf(call);
      if (call.bounds.hosts !== null) throw new WireRefusal("forbidden", CONFINED);
      const body = requireMap(await readJsonBody(call.request));
      const labels = readLabels(body["labels"], "labels");
      await setLabels(database, call.env, host, labels, call.by);
      return json({ host, labels });
    },
  },
  {
    method: "GET",
    path: LABELS,
    access: "hosts:read",
    action: "host.labels",
    answer: async (call, { database }) => {
      const host = hostOf(call);
      return json({ host, labels: await database.read((sql) => labelsOf(sql, call.env, host)) });
    },
  },
  {
    method: "GET",
    path: "/v1/hosts",
    access: "hosts:read",
    action: "host.list",
    answer: async ({ env, query, bounds }, { database }) => {
      const limit = pageLimit(query);
      const after = single(query, "after") ?? "";
      const { hosts, next } = await listHosts(database, env, bounds.hosts, after, limit);
      return json({ hosts, next_after: next });
    },
  },
];

function hostOf({ params, bounds }: Call): string {
  const host = params["host"] ?? "";
  if (!isHostName(host)) throw new WireRefusal("invalid_field", "host must be a host name");
  refuseOutside(bounds, "hosts", host);
  return host;
}
