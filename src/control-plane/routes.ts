import { BUILD } from "../base/version.ts";
import { ATTESTATION_ROUTES } from "./attestations/attestation-routes.ts";
import { HOST_ROUTES } from "./hosts/host-routes.ts";
import { apiDocument } from "./api/api-document.ts";
import { ADDON_ROUTES } from "./addons/addon-routes.ts";
import { ARTIFACT_ROUTES } from "./artifacts/artifact-routes.ts";
import { BUILD_ROUTES } from "./builds/build-routes.ts";
import { EVENT_ROUTES } from "./events/event-routes.ts";
import { HEALTH_ROUTES } from "./http/health-routes.ts";
import { METRICS_ROUTES } from "./http/metrics-routes.ts";
import { PAGE_ROUTES } from "./page/page-routes.ts";
import { PIN_RECEIPT_ROUTES } from "./pins/pin-receipt-routes.ts";
import { PIN_ROUTES } from "./pins/pin-routes.ts";
import { POLICY_ROUTES } from "./pins/policy-routes.ts";
import { PIN_STOP_ROUTES } from "./pins/pin-stop-routes.ts";
import { PIN_VERSION_ROUTES } from "./pins/pin-version-routes.ts";
import type { Route } from "./router.ts";
import { jsonText } from "./http/wire.ts";

const NOUNS: readonly Route[] = [
  ...ATTESTATION_ROUTES,
  ...HOST_ROUTES,
  ...HEALTH_ROUTES,
  ...PIN_ROUTES,
  ...PIN_VERSION_ROUTES,
  ...PIN_STOP_ROUTES,
  ...PIN_RECEIPT_ROUTES,
  ...POLICY_ROUTES,
  ...PAGE_ROUTES,
  ...BUILD_ROUTES,
  ...ARTIFACT_ROUTES,
  ...ADDON_ROUTES,
  ...EVENT_ROUTES,
  ...METRICS_ROUTES,
];

/** Made once: anybody may ask for it. */
let document: string | undefined;

const API: Route = {
  method: "GET",
  path: "/v1/openapi.json",
  access: "open",
  answer: async () => jsonText((document ??= JSON.stringify(apiDocument(ROUTES, BUILD.version)))),
};

/** Everything that is served. */
export const ROUTES: readonly Route[] = [...NOUNS, API];
