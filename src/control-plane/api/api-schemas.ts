import type { JsonMap, JsonValue } from "../../base/json.ts";
import { ADDON_STATES } from "../hosts/host-status.ts";

const text: JsonMap = { type: "string" };
const whole: JsonMap = { type: "integer", minimum: 0 };
const flag: JsonMap = { type: "boolean" };
const instant: JsonMap = {
  type: "string",
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z$",
};
const sha256: JsonMap = { type: "string", pattern: "^[0-9a-f]{64}$" };
const imageDigest: JsonMap = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" };
const anyMap: JsonMap = { type: "object" };

function list(items: JsonValue): JsonMap {
  return { type: "array", items };
}

function orNull(schema: JsonMap): JsonMap {
  return { anyOf: [schema, { type: "null" }] };
}

function ref(name: string): JsonMap {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object with these members and no others; a name that ends with "?" may be absent. */
function exact(members: Readonly<Record<string, JsonMap>>): JsonMap {
  const names = Object.keys(members);
  return {
    type: "object",
    additionalProperties: false,
    required: names.filter((name) => !name.endsWith("?")),
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/u, ""), members[name] ?? {}])),
  };
}

const pin = {
  template_name: text,
  region: text,
  image_digest: imageDigest,
  "git_sha?": text,
  "notes?": text,
  "seq?": whole,
  promoted_at: instant,
  promoted_by: text,
};

const assignment = {
  addon_id: text,
  version: text,
  enabled: flag,
  "args?": list(text),
  "config_json?": anyMap,
  "host?": text,
};

/** What the answers and bodies of the API look like, by the names that `api-operations.ts` uses. */
export const SCHEMAS: Readonly<Record<string, JsonMap>> = {
  Ok: exact({ ok: { const: true } }),
  /** The errors of the routes that scripts have always called. */
  Error: { type: "object", required: ["error", "code"], properties: { error: text, code: text } },
  /** RFC 9457. `error` is `detail` under the name that older clients print. */
  Problem: {
    type: "object",
    required: ["type", "title", "status", "detail", "code", "error", "instance"],
    properties: {
      type: { const: "about:blank" },
      title: text,
      status: whole,
      detail: text,
      code: text,
      error: text,
      instance: text,
    },
  },
  Promotion: {
    type: "object",
    required: ["image_digest"],
    properties: {
      template_name: text,
      region: text,
      image_digest: imageDigest,
      git_sha: text,
      notes: text,
      seq: whole,
      rollback: flag,
      break_glass: flag,
      reason: text,
    },
  },
  Pin: exact(pin),
  PinList: exact({ pins: list(ref("Pin")) }),
  VersionedPin: exact({ ...pin, version: whole }),
  ShownPin: exact({ ...pin, version: whole, stops: list(ref("Stop")) }),
  Stop: exact({
    kind: { enum: ["held", "vetoed", "frozen"] },
    reason: text,
    by: text,
    at: instant,
    "image_digest?": imageDigest,
  }),
  Reason: { type: "object", required: ["reason"], properties: { reason: text } },
  Rollback: {
    type: "object",
    required: ["reason"],
    properties: { reason: text, to_version: whole, to_digest: imageDigest },
  },
  EnforcedPolicy: exact({
    policy: orNull(
      exact({
        name: text,
        version: whole,
        sha256,
        issued_at: instant,
        expires_at: instant,
        rules: list(
          exact({
            name: text,
            level: { enum: ["enforce", "warn"] },
            environments: orNull(list(text)),
            templates: orNull(list(text)),
          }),
        ),
      }),
    ),
  }),
  Receipt: exact({ number: whole, version: whole, at: instant, by: text, envelope: anyMap }),
  Receipts: exact({
    plane: sha256,
    env: text,
    pin: ref("VersionedPin"),
    receipts: list(ref("Receipt")),
    last_receipted_version: orNull(whole),
  }),
  History: exact({
    history: list(
      exact({
        version: whole,
        at: instant,
        by: text,
        action: text,
        reason: orNull(text),
        before: orNull(anyMap),
        after: orNull(anyMap),
      }),
    ),
    next_before: orNull(whole),
  }),
  Build: {
    type: "object",
    required: ["object", "id", "agent_name", "build_status", "image_name", "image_tag", "created_at"],
    properties: {
      object: { const: "agentex_cloud_build" },
      id: text,
      agent_name: text,
      build_status: { enum: ["success", "unknown"] },
      image_name: text,
      image_tag: text,
      image_digest: orNull(imageDigest),
      created_at: instant,
      source_repo: orNull(text),
      source_commit: orNull(text),
      source_ref: orNull(text),
      source_subpath: orNull(text),
      source_dirty: orNull(flag),
      working_tree_hash: orNull(text),
      context_archive: exact({ sha256, bytes: whole }),
    },
  },
  BuildList: exact({
    object: { const: "list" },
    items: list(ref("Build")),
    has_more: flag,
    limit: whole,
  }),
  Artifact: exact({ sha256, bytes: whole }),
  PackageRequest: {
    type: "object",
    required: ["addon_id", "version", "binary"],
    properties: { addon_id: text, version: text, binary: text, artifacts: anyMap },
  },
  Package: exact({
    addon_id: text,
    version: text,
    binary: text,
    delivery: text,
    supervision: text,
    args: list(text),
    config_json: anyMap,
    capabilities: list(text),
    artifacts: {
      type: "object",
      additionalProperties: exact({
        "object_key?": text,
        "sha256?": sha256,
        "signature?": text,
        "statement?": text,
      }),
    },
  }),
  PackageList: exact({ packages: list(ref("Package")) }),
  AssignmentRequest: {
    type: "object",
    required: ["version"],
    properties: { version: text, enabled: flag, args: list(text), config_json: anyMap, host: text },
  },
  Assignment: exact(assignment),
  HostConfig: exact({
    addons: list(
      exact({
        addon_id: text,
        version: text,
        enabled: flag,
        binary_path: text,
        args: list(text),
        config_json: anyMap,
        capabilities: list(text),
        delivery: text,
        supervision: text,
        "artifact_object_key?": text,
        "artifact_sha256?": sha256,
        "artifact_signature?": text,
        "artifact_statement?": text,
        target_os: text,
        target_arch: text,
      }),
    ),
    config_version: { type: "string", pattern: "^v[0-9a-f]{64}$" },
  }),
  HostStatus: {
    type: "object",
    required: ["platform", "addons"],
    properties: { platform: text, config_version: text, addons: list(ref("AddonState")) },
  },
  AddonState: exact({ addon_id: text, version: text, state: { enum: ADDON_STATES }, "error?": text }),
  Host: exact({
    host: text,
    platform: text,
    config_version: orNull(text),
    addons: list(ref("AddonState")),
    reported_at: instant,
    reported_by: text,
  }),
  HostList: exact({ hosts: list(ref("Host")), next_after: orNull(text) }),
  Envelope: {
    type: "object",
    required: ["payloadType", "payload", "signatures"],
    properties: {
      payloadType: { const: "application/vnd.in-toto+json" },
      payload: text,
      signatures: list(anyMap),
    },
  },
  Attestation: exact({
    sha256,
    predicate_type: text,
    subjects: list(imageDigest),
    stored_at: instant,
    stored_by: text,
  }),
  AttestationList: exact({
    attestations: list(
      exact({ sha256, predicate_type: text, envelope: anyMap, stored_at: instant, stored_by: text }),
    ),
  }),
  EventPage: exact({
    events: list(
      exact({
        seq: whole,
        at: instant,
        env: orNull(text),
        actor: text,
        action: text,
        decision: { enum: ["allowed", "denied"] },
        subject: text,
        reason: orNull(text),
        before_json: orNull(text),
        after_json: orNull(text),
        request_id: orNull(text),
        sha256: orNull(sha256),
      }),
    ),
    head: exact({ seq: whole, sha256 }),
  }),
};
