import { isImageDigest } from "../../base/digest.ts";
import { pageLimit, single } from "../http/query.ts";
import { refuseOutside } from "../tokens/bounds.ts";
import { liftStop, setStop, vetoesOf, type StopPlace } from "./pin-stops.ts";
import { readPlace, readReason } from "./promotion.ts";
import { readJsonBody } from "../http/request-body.ts";
import type { Call, Deps, Route } from "../router.ts";
import { json, requireMap, WireRefusal } from "../http/wire.ts";

/** Whoever sets a stop keeps everybody else from promoting, so it takes more than the right to promote. */
const STOPS: readonly {
  readonly path: string;
  readonly kind: StopPlace["kind"];
  readonly place: (call: Call) => StopPlace;
}[] = [
  {
    path: "/v1/pins/{template}/{region}/hold",
    kind: "held",
    place: ({ params }) => ({ kind: "held", ...readPlace(params) }),
  },
  {
    path: "/v1/vetoes/{template}/{digest}",
    kind: "vetoed",
    place: ({ params }) => {
      const { template_name } = readPlace({ ...params, region: "global" });
      const image_digest = params["digest"] ?? "";
      if (!isImageDigest(image_digest))
        throw new WireRefusal("invalid_field", "the digest must be sha256:<64 hex>");
      return { kind: "vetoed", template_name, image_digest };
    },
  },
  { path: "/v1/freeze", kind: "frozen", place: () => ({ kind: "frozen" }) },
];

/** Behind a digest, in the order of digests; there are thousands where somebody vetoes what a scanner finds. */
const LIST: Route = {
  method: "GET",
  path: "/v1/vetoes/{template}",
  access: "pins:read",
  action: "veto.list",
  answer: async ({ env, params, query, bounds }, { database }) => {
    const { template_name } = readPlace({ ...params, region: "global" });
    refuseOutside(bounds, "templates", template_name);
    const limit = pageLimit(query);
    const after = single(query, "after") ?? "";
    const vetoes = await database.read((sql) => vetoesOf(sql, env, template_name, after, limit));
    const last = vetoes.length < limit ? null : (vetoes.at(-1)?.image_digest ?? null);
    return json({ vetoes, next_after: last });
  },
};

const CHANGES: readonly Route[] = STOPS.flatMap(({ path, kind, place }): Route[] => [
  {
    method: "PUT",
    path,
    access: "admin",
    action: `pin.${kind}`,
    answer: (call, deps) => set(call, deps, place(call)),
  },
  {
    method: "DELETE",
    path,
    access: "admin",
    action: `pin.un${kind}`,
    answer: (call, deps) => lift(call, deps, place(call)),
  },
]);

export const PIN_STOP_ROUTES: readonly Route[] = [LIST, ...CHANGES];

async function set(
  { request, env, by, bounds }: Call,
  { database }: Deps,
  place: StopPlace,
): Promise<Response> {
  const body = requireMap(await readJsonBody(request));
  refuseOutside(bounds, "templates", place.kind === "frozen" ? null : place.template_name);
  return json(await setStop(database, env, place, readReason(body), by));
}

async function lift({ env, by, bounds }: Call, { database }: Deps, place: StopPlace): Promise<Response> {
  refuseOutside(bounds, "templates", place.kind === "frozen" ? null : place.template_name);
  if (await liftStop(database, env, place, by)) return new Response(null, { status: 204 });
  throw new WireRefusal("not_found", "there is nothing to lift");
}
