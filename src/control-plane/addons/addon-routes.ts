import { isHostName, isPlatform, isSegment } from "./addon-fields.ts";
import { refuseOutside } from "../tokens/bounds.ts";
import { isSelectorText, parseSelector, selectorText } from "../hosts/labels.ts";
import { cursorText as audienceCursor, readAssignmentQuery } from "./assignment-query.ts";
import { readAssignment, type Audience } from "./assignment-request.ts";
import { assignAddon, assignmentsFor, listAssignments, unassignAddon } from "./assignments.ts";
import { single } from "../http/query.ts";
import type { Database } from "../storage/database.ts";
import { configVersion, deliver, type HostConfig } from "./delivery.ts";
import { noneMatch } from "../http/etag.ts";
import { cursorText, readPackageQuery } from "./package-query.ts";
import { readPackage } from "./package-request.ts";
import { assignedPackages, listPackages, publishPackage } from "./packages.ts";
import { readJsonBody } from "../http/request-body.ts";
import type { Call, Deps, Route } from "../router.ts";
import { json, jsonText, WireRefusal } from "../http/wire.ts";

const ASSIGNMENT = "/v1/addons/assignments/{addon_id}";

export const ADDON_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/addons/packages",
    access: "addons:write",
    action: "package.publish",
    answer: async ({ request, env, by, bounds }, { database }) => {
      // What is published again says anew how it runs on every host that has it.
      refuseOutside(bounds, "hosts", null);
      return json(await publishPackage(database, env, readPackage(await readJsonBody(request)), by));
    },
  },
  {
    method: "GET",
    path: "/v1/addons/packages",
    access: "addons:read",
    action: "package.list",
    answer: async ({ env, query }, { database }) => {
      const { packages, next } = await listPackages(database, env, readPackageQuery(query));
      return json({ packages, next_after: next === null ? null : cursorText(next) });
    },
  },
  {
    method: "PUT",
    path: ASSIGNMENT,
    access: "addons:write",
    action: "assignment.put",
    answer: async (call, { database }) => {
      // Whoever says it as DELETE takes it would otherwise put the add-on on every host.
      if (audienceOf(call) !== "")
        throw new WireRefusal("invalid_query", "name host or selector in the body");
      const wanted = readAssignment(await readJsonBody(call.request));
      refuseBeyond(call, wanted.audience);
      return json(await assignAddon(database, call.env, addonId(call), wanted, call.by));
    },
  },
  {
    method: "DELETE",
    path: ASSIGNMENT,
    access: "addons:write",
    action: "assignment.delete",
    answer: async (call, { database }) => {
      const audience = audienceOf(call);
      refuseBeyond(call, audience);
      await unassignAddon(database, call.env, addonId(call), audience, call.by);
      return new Response(null, { status: 204 });
    },
  },
  {
    method: "GET",
    path: ASSIGNMENT,
    access: "addons:read",
    action: "assignment.read",
    answer: async (call, { database }) => {
      // Whoever may see one host sees what is for that host alone.
      const { env, query, bounds } = call;
      const wanted = readAssignmentQuery(query);
      const { assignments, next } = await listAssignments(database, env, addonId(call), wanted, bounds.hosts);
      return json({ assignments, next_after: next === null ? null : audienceCursor(next) });
    },
  },
  {
    method: "GET",
    path: "/v1/addons/assignments",
    access: "addons:read",
    action: "assignment.list",
    answer: answerAssignments,
  },
];

async function answerAssignments(call: Call, { database, hostConfigs }: Deps): Promise<Response> {
  const platform = single(call.query, "platform") ?? "";
  if (!isPlatform(platform)) throw new WireRefusal("invalid_query", "platform must be os/arch");
  const host = hostOf(call);
  refuseOutside(call.bounds, "hosts", host);
  const key = JSON.stringify([call.env, platform, host]);
  const { etag, text } = await hostConfigs.at(call.revision, key, () =>
    readConfig(database, call.env, host, platform),
  );
  if (noneMatch(call.request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers: { etag } });
  }
  return jsonText(text, 200, { etag });
}

async function readConfig(
  database: Database,
  env: string,
  host: string | null,
  platform: string,
): Promise<HostConfig> {
  // Packages are never taken back, so the order of these two reads does not matter.
  const assignments = await assignmentsFor(database, env, host);
  const addons = deliver(assignments, await assignedPackages(database, env, host), platform);
  const config_version = configVersion(addons);
  return { etag: `"${config_version}"`, text: JSON.stringify({ addons, config_version }) };
}

function addonId({ params }: Call): string {
  const id = params["addon_id"] ?? "";
  if (!isSegment(id))
    throw new WireRefusal("invalid_field", "addon_id must match ^[A-Za-z0-9][A-Za-z0-9._+-]*$");
  return id;
}

/** A token that is confined to hosts decides neither for all of them nor for whoever has a label. */
function refuseBeyond({ bounds }: Call, audience: Audience): void {
  refuseOutside(bounds, "hosts", audience === "" || isSelectorText(audience) ? null : audience);
}

function audienceOf(call: Call): Audience {
  const selector = single(call.query, "selector");
  const host = hostOf(call);
  if (selector === null) return host ?? "";
  if (host !== null) throw new WireRefusal("invalid_query", "host and selector exclude each other");
  return selectorText(parseSelector(selector));
}

function hostOf({ query }: Call): string | null {
  const host = single(query, "host");
  if (host !== null && !isHostName(host)) throw new WireRefusal("invalid_query", "host must be a host name");
  return host;
}
