import type { JsonMap } from "../../base/json.ts";
import { ADDON_STATES } from "../hosts/host-status.ts";
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
} from "./schema-parts.ts";

const labels: JsonMap = { type: "object", additionalProperties: text };

/** A version as a host reports it. */
const reported = exact({ version: text, digest: orNull(imageDigest) });

const assignment = {
  addon_id: text,
  version: text,
  enabled: flag,
  "args?": list(text),
  "config_json?": anyMap,
  "host?": text,
  "selector?": labels,
};

/** Add-on packages, whom they are assigned to, and what hosts get and say. */
export const FLEET_SCHEMAS: Readonly<Record<string, JsonMap>> = {
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
  PackageList: exact({ packages: list(ref("Package")), next_after: orNull(text) }),
  AssignmentRequest: {
    type: "object",
    required: ["version"],
    properties: {
      version: text,
      enabled: flag,
      args: list(text),
      config_json: anyMap,
      host: text,
      selector: labels,
    },
  },
  Assignment: exact(assignment),
  AssignmentList: exact({ assignments: list(ref("Assignment")), next_after: orNull(text) }),
  LabelsRequest: { type: "object", required: ["labels"], properties: { labels } },
  HostLabels: exact({ host: text, labels }),
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
    properties: { platform: text, config_version: orNull(text), addons: list(ref("AddonState")) },
  },
  /** `has` and `offered` apart; a program of the host itself has no digest. */
  AddonState: {
    type: "object",
    required: ["addon_id", "state", "has", "offered", "last_known_good", "on_trial", "blocked", "last_error"],
    properties: {
      addon_id: text,
      state: { enum: ADDON_STATES },
      has: orNull(reported),
      offered: orNull(reported),
      last_known_good: orNull(text),
      on_trial: flag,
      blocked: list(imageDigest),
      last_error: orNull(text),
    },
  },
  Host: exact({
    host: text,
    platform: text,
    config_version: orNull(text),
    addons: list(ref("AddonState")),
    reported_at: instant,
    reported_by: text,
  }),
  HostList: exact({ hosts: list(ref("Host")), next_after: orNull(text) }),
};
