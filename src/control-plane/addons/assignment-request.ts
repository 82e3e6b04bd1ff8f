import { readSelector, selectorText, type Labels } from "../hosts/labels.ts";
import type { JsonMap, JsonValue } from "../../base/json.ts";
import { isHostName, readArgs, readConfig, refusedField, requireSegment } from "./addon-fields.ts";
import { requireMap } from "../http/wire.ts";

/** What `PUT /v1/addons/assignments/{addon_id}` asks for. null is "as the package says". */
export type AssignmentRequest = {
  readonly version: string;
  readonly enabled: boolean;
  readonly args: readonly string[] | null;
  readonly config_json: JsonMap | null;
  readonly audience: Audience;
};

/**
 * Whom an assignment is for: "" is every host, a name one, and a selector (`role=edge`) every host with these labels.
 */
export type Audience = string;

/** An assignment as it is kept and answered. Without `host` and `selector` it is for every host. */
export type StoredAssignment = {
  readonly addon_id: string;
  readonly version: string;
  readonly enabled: boolean;
  readonly args?: readonly string[];
  readonly config_json?: JsonMap;
  readonly host?: string;
  readonly selector?: Labels;
};

/** Throws WireRefusal. */
export function readAssignment(body: JsonValue): AssignmentRequest {
  const map = requireMap(body);
  const enabled = map["enabled"] ?? true;
  if (typeof enabled !== "boolean") throw refusedField("enabled must be true or false");
  const host = map["host"] ?? null;
  // An empty name is refused and not taken as "every host": that would be a fleet for an unset variable.
  if (host !== null && (typeof host !== "string" || !isHostName(host))) {
    throw refusedField("host must be a host name");
  }
  return {
    version: requireSegment(map, "version"),
    enabled,
    args: readArgs(map),
    config_json: readConfig(map),
    audience: map["selector"] === undefined ? (host ?? "") : selectorText(selectorOf(map)),
  };
}

function selectorOf(map: JsonMap): Labels {
  if ((map["host"] ?? null) !== null) throw refusedField("host and selector exclude each other");
  return readSelector(map["selector"]);
}
