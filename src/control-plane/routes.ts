import { BUILD } from "../base/version.ts";
import { ATTESTATION_ROUTES } from "./attestation-routes.ts";
import { HOST_ROUTES } from "./host-routes.ts";
import { apiDocument } from "./api-document.ts";
import { ADDON_ROUTES } from "./addon-routes.ts";
import { ARTIFACT_ROUTES } from "./artifact-routes.ts";
import { BUILD_ROUTES } from "./build-routes.ts";
import { EVENT_ROUTES } from "./event-routes.ts";
import { HEALTH_ROUTES } from "./health-routes.ts";
import { METRICS_ROUTES } from "./metrics-routes.ts";
import { PAGE_ROUTES } from "./page/page-routes.ts";
import { PIN_RECEIPT_ROUTES } from "./pin-receipt-routes.ts";
import { PIN_ROUTES } from "./pin-routes.ts";
import { PIN_STOP_ROUTES } from "./pin-stop-routes.ts";
import { PIN_VERSION_ROUTES } from "./pin-version-routes.ts";
import type { Route } from "./router.ts";
import { json } from "./wire.ts";

const NOUNS: readonly Route[] = [
  ...ATTESTATION_ROUTES,
  ...HOST_ROUTES,
  ...HEALTH_ROUTES,
  ...PIN_ROUTES,
  ...PIN_VERSION_ROUTES,
  ...PIN_STOP_ROUTES,
  ...PIN_RECEIPT_ROUTES,
  ...PAGE_ROUTES,
  ...BUILD_ROUTES,
  ...ARTIFACT_ROUTES,
  ...ADDON_ROUTES,
  ...EVENT_ROUTES,
  ...METRICS_ROUTES,
];

const API: Route = {
  method: "GET",
  path: "/v1/openapi.json",
  access: "open",
  answer: async () => json(apiDocument(ROUTES, BUILD.version)),
};

/** Everything that is served. */
export const ROUTES: readonly Route[] = [...NOUNS, API];
