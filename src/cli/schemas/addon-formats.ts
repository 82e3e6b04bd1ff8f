import { format } from "./frame.ts";
import {
  anything,
  closed,
  count,
  flag,
  list,
  map,
  nullable,
  object,
  one,
  sha256,
  text,
  word,
  type Members,
  type Schema,
} from "./shape.ts";

const optional = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).map(([name, schema]) => [`${name}?`, nullable(schema)]));

/** What an assignment and an override have in common; null is "not said". */
const ADDON_FIELDS: Members = optional({
  version: text,
  binary_path: text,
  args: list(text),
  capabilities: list(text),
  delivery: text,
  supervision: text,
  artifact_object_key: text,
  artifact_sha256: text,
  artifact_signature: text,
  target_os: text,
  target_arch: text,
  os_capabilities: list(text),
  resources: anything,
  download_url: text,
  download_token: text,
  artifacts: map(object({ "object_key?": text, "sha256?": text, "signature?": text })),
  config_json: anything,
});

/** Within a day. */
const seconds: Schema = { type: "integer", minimum: 0, maximum: 86_400 };
const port: Schema = { type: "integer", minimum: 1, maximum: 65_535 };

/** What lies on a host or comes to it. */
export const ADDON_FORMATS: { readonly [name: string]: Schema } = {
  assignments: format(
    "assignments",
    "what hosts are to run: the input of `addon-stage --assignments`",
    object({ addons: list(object({ addon_id: text, "enabled?": nullable(flag), ...ADDON_FIELDS })) }),
  ),
  override: format(
    "override",
    "what one host says otherwise: addons.local.json",
    object({
      "addons?": list(
        object({
          addon_id: text,
          "enabled?": nullable(flag),
          ...ADDON_FIELDS,
          "clear?": nullable(list(text)),
          "allow_downgrade?": nullable(text),
        }),
      ),
    }),
  ),
  "addon-record": format(
    "addon-record",
    "what lies in a version folder: .waybill-addon.json",
    object({
      addon_id: text,
      version: text,
      binary_name: text,
      artifact_object_key: text,
      artifact_sha256: sha256,
      "artifact_signature?": text,
    }),
  ),
  "audit-line": format(
    "audit-line",
    "one line of audit.jsonl: what was done on a host, chained by digests",
    object({
      seq: count,
      time: text,
      event: text,
      addon_id: text,
      "version?": text,
      "sha256?": text,
      "keyid?": text,
      "keyids?": list(text),
      "detail?": text,
      "recovered?": flag,
      prev: sha256,
    }),
  ),
  manifest: format(
    "manifest",
    "how the program of a bundle wants to be run: waybill.manifest",
    closed({
      "schema?": { const: "waybill.manifest/v1" },
      "service?": closed({
        "type?": one("exec", "notify"),
        "user?": text,
        "restart?": one("on-failure", "always", "no"),
        "restart_sec?": seconds,
        "start_sec?": seconds,
        "stop_sec?": seconds,
        "watchdog_sec?": seconds,
        "wait_for_network?": flag,
        "address_families?": list(one("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET")),
      }),
      "timer?": closed({
        "on_calendar?": list(text),
        "on_boot?": text,
        "on_unit_active?": text,
        "randomized_delay?": text,
        "accuracy?": text,
        "persistent?": flag,
      }),
      "health?": closed({
        "probe?": {
          anyOf: [
            closed({ kind: { const: "process" } }),
            closed({ kind: { const: "exec" }, args: list(text) }),
            closed({ kind: { const: "http" }, port, path: text }),
            closed({ kind: { const: "tcp" }, port }),
            closed({ kind: { const: "unix" }, path: text }),
            closed({ kind: { const: "file_age" }, path: text, max_ms: count }),
            closed({ kind: { const: "sd_notify" }, "watchdog_ms?": count }),
            closed({ kind: { const: "handshake" }, "cookie?": closed({ name: text, value: text }) }),
          ],
        },
        "interval_ms?": count,
        "timeout_ms?": count,
        "misses?": count,
        "ready_ms?": count,
        "window_ms?": count,
        "stop_ms?": count,
      }),
    }),
  ),
  "host-status": format(
    "host-status",
    "how a host is: agent.json in the root, and what addon run --report sends",
    object({
      schema: { const: "waybill.host-status/v1" },
      host: text,
      platform: text,
      config_version: nullable(text),
      addons: list(
        object({
          addon_id: text,
          state: word(
            "stopped",
            "starting",
            "running",
            "degraded",
            "unhealthy",
            "restarting",
            "circuit_open",
          ),
          has: nullable(object({ version: text, digest: nullable(text) })),
          offered: nullable(object({ version: text, digest: nullable(text) })),
          last_known_good: nullable(text),
          on_trial: flag,
          blocked: list(text),
          pid: nullable(count),
          starts: count,
          last_error: nullable(text),
        }),
      ),
    }),
  ),
};
