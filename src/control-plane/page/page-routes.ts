import type { Sql } from "../database.ts";
import type { Route, Visit } from "../router.ts";
import { WireRefusal } from "../wire.ts";
import { boardOf, cellOf, type BuildFact, type PinFact } from "./board.ts";
import { buildTable, buildView } from "./build-view.ts";
import { eventTable } from "./event-view.ts";
import {
  assignmentFacts,
  buildsWith,
  eventFacts,
  packagesWith,
  pinFacts,
  recentBuilds,
  stopFacts,
} from "./facts.ts";
import { page, type Viewer } from "./frame.ts";
import { hostView } from "./host-view.ts";
import { html, path } from "./html.ts";
import { lineageOf, type Lineage } from "./lineage.ts";
import { overview } from "./overview-view.ts";
import { digestView, pinView } from "./pin-view.ts";
import { searchFor, searchView } from "./search.ts";
import { SIGN_IN_ROUTES, signInAgain } from "./sign-in-routes.ts";
import { STYLE, STYLE_PATH } from "./style.ts";

const EVENTS = 100;
const YEAR = 31_536_000;

/** A page that reads, for whoever is signed in; an error on it is a page too. */
function pageRoute(at: string, title: string, show: (visit: Visit, sql: Sql) => Promise<Response>): Route {
  return {
    method: "GET",
    path: at,
    access: "page",
    action: `page.${title}`,
    refused: refusedPage,
    answer: (visit, { database }) => database.read((sql) => show(visit, sql)),
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
  pageRoute("/", "overview", async ({ viewer }, sql) => {
    const { envs, sees } = viewer;
    const pins = sees.pins ? await pinFacts(sql, envs) : [];
    const stops = sees.pins ? await stopFacts(sql, envs) : [];
    const builds = sees.builds ? await recentBuilds(sql, envs) : [];
    const shown = envs.filter((env) => pins.some((pin) => pin.env === env));
    return page("What runs where", viewer, overview(boardOf(shown, pins, stops, builds), stops, viewer));
  }),
  pageRoute("/pins/{env}/{template}/{region}", "pin", async ({ viewer, params }, sql) => {
    const { env = "", template = "", region = "" } = params;
    const pins = viewer.sees.pins ? await pinFacts(sql, viewer.envs) : [];
    const pin = pins.find((one) => one.env === env && one.template === template && one.region === region);
    if (pin === undefined)
      throw new WireRefusal("pin_not_found", "no such pin is here, or this token does not show it");
    const stops = await stopFacts(sql, [env]);
    const builds = await originsOf(sql, viewer, pin);
    const events = await eventFacts(sql, {
      envs: [env],
      subject: `${template}/${region}`,
      onlyPins: true,
      before: Number.MAX_SAFE_INTEGER,
      limit: EVENTS,
    });
    const lineage = await readLineage(sql, viewer, pin.digest, pins);
    return page(
      `${template} in ${env}`,
      viewer,
      pinView(cellOf(pin, stops, builds), lineage, events, viewer),
    );
  }),
  pageRoute("/digests/{digest}", "digest", async ({ viewer, params }, sql) => {
    const { digest = "" } = params;
    if (!/^sha256:[0-9a-f]{64}$/u.test(digest))
      throw new WireRefusal("not_found", "wanted /digests/sha256:<64 hex>");
    const pins = viewer.sees.pins ? await pinFacts(sql, viewer.envs) : [];
    return page("Digest", viewer, digestView(digest, await readLineage(sql, viewer, digest, pins)));
  }),
  pageRoute("/builds", "builds", async ({ viewer }, sql) => {
    const builds = viewer.sees.builds ? await recentBuilds(sql, viewer.envs) : [];
    return page(
      "Builds",
      viewer,
      html`<h1>Builds</h1>
        ${buildTable("The newest builds first", builds.slice(0, 100))}`,
    );
  }),
  pageRoute("/builds/{id}", "build", async ({ viewer, params }, sql) => {
    const [build] = viewer.sees.builds ? await buildsWith(sql, viewer.envs, "id", params["id"] ?? "") : [];
    if (build === undefined)
      throw new WireRefusal("not_found", "no such build is here, or this token does not show it");
    return page(build.image, viewer, buildView(build, viewer));
  }),
  pageRoute("/hosts", "hosts", async ({ viewer }, sql) =>
    page("Hosts", viewer, hostView(viewer.sees.addons ? await assignmentFacts(sql, viewer.envs) : [])),
  ),
  pageRoute("/events", "events", async ({ viewer, query }, sql) => {
    const asked = query.get("before") ?? "";
    const before = /^[1-9]\d{0,14}$/u.test(asked) ? Number(asked) : Number.MAX_SAFE_INTEGER;
    const { envs, sees } = viewer;
    const events =
      sees.pins || sees.all
        ? await eventFacts(sql, { envs, onlyPins: !sees.all, before, limit: EVENTS })
        : [];
    const oldest = events.length < EVENTS ? undefined : events.at(-1)?.seq;
    const older = oldest === undefined ? null : path`/events?before=${String(oldest)}`;
    const caption = sees.all ? "Every change and every denial" : "Changes of pins, and what was denied";
    return page(
      "History",
      viewer,
      html`<h1>History</h1>
        ${eventTable(caption, events, older)}`,
    );
  }),
  pageRoute("/search", "search", async ({ viewer, query }, sql) => {
    const text = (query.get("q") ?? "").trim();
    return page(`Find ${text}`, viewer, searchView(text, await searchFor(sql, viewer, text)));
  }),
];

async function originsOf(sql: Sql, viewer: Viewer, pin: PinFact): Promise<readonly BuildFact[]> {
  if (!viewer.sees.builds) return [];
  const own = await buildsWith(sql, viewer.envs, "image_digest", pin.digest);
  return own.length > 0 ? own : recentBuilds(sql, viewer.envs);
}

async function readLineage(
  sql: Sql,
  viewer: Viewer,
  digest: string,
  pins: readonly PinFact[],
): Promise<Lineage> {
  const { envs, sees } = viewer;
  const builds = sees.builds ? await buildsWith(sql, envs, "image_digest", digest) : [];
  const packages = sees.addons ? await packagesWith(sql, envs, digest.slice("sha256:".length)) : [];
  const pinned = pins.filter((pin) => pin.digest === digest);
  return lineageOf(digest, builds, pinned, packages, (thing) => {
    if ("build" in thing) return path`/builds/${thing.build}`;
    if ("host" in thing) return "/hosts";
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
