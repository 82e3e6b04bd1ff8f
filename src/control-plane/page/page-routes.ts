import type { Route, Visit } from "../router.ts";
import { WireRefusal } from "../http/wire.ts";
import { boardOf, cellOf, type BuildFact, type PinFact } from "./board.ts";
import { buildTable, buildView } from "./build-view.ts";
import { eventTable } from "./event-view.ts";
import type { AssignmentPlace } from "./assignment-facts.ts";
import { page, type Viewer } from "./frame.ts";
import { hostView } from "./host-view.ts";
import { html, path } from "./html.ts";
import { lineageOf, type Lineage } from "./lineage.ts";
import { overview } from "./overview-view.ts";
import { digestView, pinView } from "./pin-view.ts";
import { searchFor, searchView } from "./search.ts";
import { Seen } from "./seen.ts";
import { SIGN_IN_ROUTES, signInAgain } from "./sign-in-routes.ts";
import { STYLE, STYLE_PATH } from "./style.ts";

const EVENTS = 100;
const HOSTS = 200;
/** Of the board, and of what is assigned. */
const ROWS = 200;
const YEAR = 31_536_000;

/** A page that reads, for whoever is signed in; an error on it is a page too. */
function pageRoute(
  at: string,
  title: string,
  show: (visit: Visit, seen: Seen, now: Date) => Promise<Response>,
): Route {
  return {
    method: "GET",
    path: at,
    access: "page",
    action: `page.${title}`,
    refused: refusedPage,
    answer: (visit, { database, now }) =>
      database.read((sql) => show(visit, new Seen(sql, visit.viewer), now())),
  };
}

export const PAGE_ROUTES: readonly Route[] = [
  ...SIGN_IN_ROUTES,
  {
    method: "GET",
    path: STYLE_PATH,
    access: "open",
    answer: async () =>
      new Response(STYLE, {
        headers: {
          "content-type": "text/css; charset=utf-8",
          "cache-control": `public, max-age=${YEAR}, immutable`,
        },
      }),
  },
  pageRoute("/", "overview", async ({ viewer, query }, seen) => {
    const after = { template: asked(query, "template"), region: asked(query, "region") };
    const { pins, envs, next, ...counts } = await seen.boardPage(after, ROWS);
    const stops = await seen.stops();
    const digests = [...new Set(pins.map(({ digest }) => digest))];
    const builds = [...(await seen.newestBuildsOf(digests)), ...(await seen.recentBuilds())];
    const more = next === null ? null : path`/?template=${next.template}&region=${next.region}`;
    const board = boardOf(envs, pins, stops, builds);
    return page("What runs where", viewer, overview(board, { ...counts, more }, stops, viewer));
  }),
  pageRoute("/pins/{env}/{template}/{region}", "pin", async ({ viewer, params }, seen) => {
    const { env = "", template = "", region = "" } = params;
    const pin = await seen.pin(env, template, region);
    if (pin === null)
      throw new WireRefusal("pin_not_found", "no such pin is here, or this token does not show it");
    const events = await seen.eventsAbout(pin, EVENTS);
    const cell = cellOf(pin, await seen.stops(), await originsOf(seen, pin));
    const lineage = await readLineage(seen, pin.digest);
    const matches = cell.origin?.known === "by digest" ? await seen.matchesCommit(cell.origin.build) : null;
    const story = { lineage, events, receipts: await seen.receipts(pin), matches };
    return page(`${template} in ${env}`, viewer, pinView(cell, story, viewer));
  }),
  pageRoute("/digests/{digest}", "digest", async ({ viewer, params }, seen) => {
    const { digest = "" } = params;
    if (!/^sha256:[0-9a-f]{64}$/u.test(digest))
      throw new WireRefusal("not_found", "wanted /digests/sha256:<64 hex>");
    const lineage = await readLineage(seen, digest);
    const isArtifact = (await seen.packagesWith(digest.slice("sha256:".length))).length > 0;
    return page("Digest", viewer, digestView(digest, lineage, isArtifact));
  }),
  pageRoute("/builds", "builds", async ({ viewer }, seen) => {
    const builds = (await seen.recentBuilds()).slice(0, 100);
    return page(
      "Builds",
      viewer,
      html`<h1>Builds</h1>
        ${buildTable("The newest builds first", builds)}`,
    );
  }),
  pageRoute("/builds/{id}", "build", async ({ viewer, params }, seen) => {
    const [build] = await seen.buildsWith("id", params["id"] ?? "");
    if (build === undefined)
      throw new WireRefusal("not_found", "no such build is here, or this token does not show it");
    return page(build.image, viewer, buildView(build, await seen.matchesCommit(build), viewer));
  }),
  pageRoute("/hosts", "hosts", async ({ viewer, query }, seen, now) => {
    const after = { host: asked(query, "after"), env: asked(query, "env") };
    const { hosts, next } = await seen.hosts(after, HOSTS);
    const more = next === null ? null : path`/hosts?after=${next.host}&env=${next.env}`;
    const assigned = await seen.assignments(assignedAfter(query), ROWS);
    const on = assigned.next;
    const moreAssigned =
      on === null ? null : path`/hosts?assigned=${on.audience}&addon=${on.addonId}&in=${on.env}#assigned`;
    return page(
      "Hosts",
      viewer,
      hostView(hosts, assigned.assignments, { hosts: more, assigned: moreAssigned }, now),
    );
  }),
  pageRoute("/events", "events", async ({ viewer, query }, seen) => {
    const number = asked(query, "before");
    const before = /^[1-9]\d{0,14}$/u.test(number) ? Number(number) : Number.MAX_SAFE_INTEGER;
    const { events, next } = await seen.events(before, EVENTS);
    const older = next === null ? null : path`/events?before=${String(next)}`;
    const caption = viewer.sees.all
      ? "Every change and every denial"
      : "Changes of pins, and what was denied";
    return page(
      "History",
      viewer,
      html`<h1>History</h1>
        ${eventTable(caption, events, older)}`,
    );
  }),
  pageRoute("/search", "search", async ({ viewer, query }, seen) => {
    const text = asked(query, "q").trim();
    return page(`Find ${text}`, viewer, searchView(text, await searchFor(seen, text)));
  }),
];

/** An empty `assigned` is every host; without an add-on nothing was listed before. */
function assignedAfter(query: URLSearchParams): AssignmentPlace | null {
  const addonId = asked(query, "addon");
  return addonId === "" ? null : { audience: asked(query, "assigned"), addonId, env: asked(query, "in") };
}

/** What a page is asked with. No text of a PostgreSQL database can hold a NUL, so none is looked for. */
function asked(query: URLSearchParams, name: string): string {
  return (query.get(name) ?? "").replaceAll("\0", "");
}

/** Builds that a pin may come from: those of its digest, else the newest, among which its commit may be. */
async function originsOf(seen: Seen, pin: PinFact): Promise<readonly BuildFact[]> {
  const own = await seen.buildsWith("image_digest", pin.digest);
  return own.length > 0 ? own : seen.recentBuilds();
}

async function readLineage(seen: Seen, digest: string): Promise<Lineage> {
  const builds = await seen.buildsWith("image_digest", digest);
  const packages = await seen.packagesWith(digest.slice("sha256:".length));
  const pinned = await seen.pinsOf(digest);
  return lineageOf(digest, builds, pinned, packages, await seen.running(digest), (thing) => {
    if (thing === "hosts") return "/hosts";
    if ("build" in thing) return path`/builds/${thing.build}`;
    return path`/pins/${thing.pin.env}/${thing.pin.template}/${thing.pin.region}`;
  });
}

function refusedPage(refusal: WireRefusal, request: Request, viewer: Viewer | null): Response {
  if (refusal.code === "unauthorized" || viewer === null) return signInAgain(refusal, request);
  const body = html`<h1>${refusal.status}</h1>
    <p>${refusal.message}</p>
    <p><a href="/">What runs where</a></p>`;
  return page(String(refusal.status), viewer, body, refusal.status);
}
