import { isMap } from "../../base/decode.ts";
import { isImageDigest } from "../../base/digest.ts";
import { refuseOutside } from "../tokens/bounds.ts";
import { liftStop, setStop, type StopPlace } from "./pin-stops.ts";
import { readPlace, readReason } from "./promotion.ts";
import { readJsonBody } from "../http/request-body.ts";
import type { Call, Deps, Route } from "../router.ts";
import { json, WireRefusal } from "../http/wire.ts";

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

export const PIN_STOP_ROUTES: readonly Route[] = STOPS.flatMap(({ path, kind, place }): Route[] => [
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

async function set(
  { request, env, by, bounds }: Call,
  { database }: Deps,
  place: StopPlace,
): Promise<Response> {
  const body = await readJsonBody(request);
  if (!isMap(body)) throw new WireRefusal("invalid_json", "the body must be a JSON object");
  refuseOutside(bounds, "templates", place.kind === "frozen" ? null : place.template_name);
  return json(await setStop(database, env, place, readReason(body), by));
}

async function lift({ env, by, bounds }: Call, { database }: Deps, place: StopPlace): Promise<Response> {
  refuseOutside(bounds, "templates", place.kind === "frozen" ? null : place.template_name);
  if (await liftStop(database, env, place, by)) return new Response(null, { status: 204 });
  throw new WireRefusal("not_found", "there is nothing to lift");
}
