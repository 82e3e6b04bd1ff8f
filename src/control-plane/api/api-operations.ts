import { BUILD_FILTERS } from "../builds/build-query.ts";

/** What the document of the API says of one route beside its path and its scope. Names are those of `SCHEMAS`. */
export type Operation = {
  readonly summary: string;
  readonly query?: readonly string[];
  /** Request headers that decide what happens. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** The schema of a body that is `multipart/form-data`. */
  readonly form?: string;
  /** A body that is neither, by its media type. */
  readonly bytes?: string;
  /** Status of success to the schema of its JSON; null is another body, or none. */
  readonly answers: Readonly<Record<number, string | null>>;
};

const PIN = "/v1/pins/{template}/{region}";
const WRITE = ["If-Match", "If-None-Match", "Idempotency-Key"];

function buildsAt(path: string): Readonly<Record<string, Operation>> {
  return {
    [`POST ${path}`]: {
      summary: "record a build with its context",
      form: "BuildForm",
      answers: { 200: "Build" },
    },
    [`GET ${path}`]: {
      summary: "builds, by commit, tree hash, repository, agent or digest, in pages",
      query: [...BUILD_FILTERS, "sort_by", "sort_order", "limit", "starting_after", "ending_before"],
      answers: { 200: "BuildList" },
    },
    [`GET ${path}/{id}`]: { summary: "one build", answers: { 200: "Build" } },
  };
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "GET /healthz": { summary: "whether the process answers", answers: { 200: "Ok" } },
  "GET /readyz": { summary: "whether the database takes writes", answers: { 200: "Ok" } },
  "GET /metrics": { summary: "counters, in the text format of Prometheus", answers: { 200: null } },
  "GET /v1/openapi.json": { summary: "this document", answers: { 200: null } },
  "POST /cp/admin/runtime-image/promote": {
    summary: "pin a digest; the last writer wins",
    headers: ["Idempotency-Key"],
    body: "Promotion",
    answers: { 200: "Pin" },
  },
  "GET /cp/admin/runtime-image": { summary: "every pin of the environment", answers: { 200: "PinList" } },
  "GET /v1/pins": {
    summary: "pins with their versions, by template and region, in pages",
    query: ["template", "region", "after", "limit"],
    answers: { 200: "VersionedPinList" },
  },
  [`GET ${PIN}`]: {
    summary: "one pin with its version, and what stands against changing it",
    answers: { 200: "ShownPin" },
  },
  [`PUT ${PIN}`]: {
    summary: "pin a digest if the pin is still as it was read",
    headers: WRITE,
    body: "Promotion",
    answers: { 200: "VersionedPin" },
  },
  [`GET ${PIN}/history`]: {
    summary: "every change of the pin, the newest first",
    query: ["limit", "before"],
    answers: { 200: "History" },
  },
  [`POST ${PIN}/rollback`]: {
    summary: "back to an earlier state of the pin",
    headers: WRITE,
    body: "Rollback",
    answers: { 200: "VersionedPin" },
  },
  [`PUT ${PIN}/hold`]: { summary: "keep the pin where it is", body: "Reason", answers: { 200: "Stop" } },
  [`DELETE ${PIN}/hold`]: { summary: "let the pin move again", answers: { 204: null } },
  [`GET ${PIN}/receipts`]: {
    summary: "the signed receipts of the version that the pin has",
    answers: { 200: "Receipts" },
  },
  [`POST ${PIN}/receipts`]: {
    summary: "keep a signed receipt for the version that the pin has",
    headers: ["If-Match"],
    body: "Envelope",
    answers: { 200: "Receipt" },
  },
  "GET /v1/vetoes/{template}": {
    summary: "the vetoed digests of a template, in pages",
    query: ["after", "limit"],
    answers: { 200: "VetoList" },
  },
  "PUT /v1/vetoes/{template}/{digest}": {
    summary: "keep a digest from being pinned",
    body: "Reason",
    answers: { 200: "Stop" },
  },
  "DELETE /v1/vetoes/{template}/{digest}": { summary: "lift the veto", answers: { 204: null } },
  "PUT /v1/freeze": { summary: "keep every pin where it is", body: "Reason", answers: { 200: "Stop" } },
  "DELETE /v1/freeze": { summary: "lift the freeze", answers: { 204: null } },
  "GET /v1/policy": {
    summary: "the trust policy that promotions have to satisfy here; null without one",
    answers: { 200: "EnforcedPolicy" },
  },
  ...buildsAt("/v5/builds"),
  ...buildsAt("/v1/builds"),
  "PUT /v1/artifacts/{sha256}": {
    summary: "store bytes under their digest",
    bytes: "application/octet-stream",
    answers: { 200: "Artifact", 201: "Artifact" },
  },
  "GET /v1/artifacts/{key...}": {
    summary: "the bytes of a digest; what comes before it in the path is for people",
    headers: ["Range", "If-Range", "If-None-Match"],
    answers: { 200: null, 206: null, 304: null },
  },
  "POST /v1/addons/packages": {
    summary: "publish a version of an add-on, or more platforms of it",
    body: "PackageRequest",
    answers: { 200: "Package" },
  },
  "GET /v1/addons/packages": {
    summary: "published versions, by add-on and version, in pages",
    query: ["addon_id", "version", "after", "limit"],
    answers: { 200: "PackageList" },
  },
  "PUT /v1/addons/assignments/{addon_id}": {
    summary: "put an add-on on one host, on those with some labels, or on every host",
    body: "AssignmentRequest",
    answers: { 200: "Assignment" },
  },
  "DELETE /v1/addons/assignments/{addon_id}": {
    summary: "take an add-on away from those whom it was put on",
    query: ["host", "selector"],
    answers: { 204: null },
  },
  "GET /v1/addons/assignments/{addon_id}": {
    summary: "whom an add-on is assigned to, everybody first, in pages",
    query: ["after", "limit"],
    answers: { 200: "AssignmentList" },
  },
  "GET /v1/addons/assignments": {
    summary: "what a host of this platform runs",
    query: ["platform", "host"],
    headers: ["If-None-Match"],
    answers: { 200: "HostConfig", 304: null },
  },
  "PUT /v1/hosts/{host}/status": {
    summary: "what runs on a host, as the host says",
    body: "HostStatus",
    answers: { 200: "Host" },
  },
  "PUT /v1/hosts/{host}/labels": {
    summary: "what operators say of a host, for assignments by label",
    body: "LabelsRequest",
    answers: { 200: "HostLabels" },
  },
  "GET /v1/hosts/{host}/labels": { summary: "the labels of a host", answers: { 200: "HostLabels" } },
  "GET /v1/hosts": {
    summary: "what hosts said last, by name, in pages",
    query: ["after", "limit"],
    answers: { 200: "HostList" },
  },
  "GET /v1/hosts/{host}": { summary: "what a host said last", answers: { 200: "Host" } },
  "POST /v1/attestations": {
    summary: "keep a signed statement about artifacts; whoever reads it verifies it",
    body: "Envelope",
    answers: { 200: "Attestation", 201: "Attestation" },
  },
  "GET /v1/attestations/{subject}": {
    summary: "the statements about sha256:<64 hex>, the newest first, in pages",
    query: ["before", "limit"],
    answers: { 200: "AttestationList" },
  },
  "GET /v1/events": {
    summary: "the record of every change and denial, in pages, with its chain",
    query: ["after", "limit"],
    answers: { 200: "EventPage" },
  },
};
