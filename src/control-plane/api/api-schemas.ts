import type { JsonMap } from "../../base/json.ts";
import { BUILD_FIELDS } from "../builds/build-form.ts";
import { WIRE_CODES } from "../http/wire.ts";
import { FLEET_SCHEMAS } from "./fleet-schemas.ts";
import { PIN_SCHEMAS } from "./pin-schemas.ts";
import {
  anyMap,
  exact,
  flag,
  imageDigest,
  instant,
  list,
  orNull,
  ref,
  sha256,
  text,
  whole,
} from "./schema-parts.ts";

/** What the answers and bodies of the API look like, by the names that `api-operations.ts` uses. */
export const SCHEMAS: Readonly<Record<string, JsonMap>> = {
  ...PIN_SCHEMAS,
  ...FLEET_SCHEMAS,
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
      code: { enum: WIRE_CODES },
      error: text,
      instance: text,
    },
  },
  BuildForm: {
    type: "object",
    required: ["context_archive", "image_name"],
    properties: {
      context_archive: { type: "string", contentMediaType: "application/gzip" },
      ...Object.fromEntries([...BUILD_FIELDS].map((name) => [name, text])),
    },
  },
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
    next_before: orNull(whole),
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
