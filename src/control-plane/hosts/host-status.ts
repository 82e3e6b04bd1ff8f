import { decode, list, narrowed, object, optional, string, type Decoder } from "../../base/decode.ts";
import type { JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/printable.ts";
import { isPlatform, isSegment } from "../addons/addon-fields.ts";
import { WireRefusal } from "../http/wire.ts";

export const ADDON_STATES = [
  "disabled",
  "stopped",
  "starting",
  "running",
  "degraded",
  "unhealthy",
  "restarting",
  "circuit_open",
] as const;

type AddonState = (typeof ADDON_STATES)[number];
const STATES: ReadonlySet<string> = new Set(ADDON_STATES);

/** What a host says of one add-on. */
export type ReportedAddon = {
  readonly addon_id: string;
  readonly version: string;
  readonly state: AddonState;
  readonly error?: string;
};

export type HostStatus = {
  readonly platform: string;
  readonly config_version: string | null;
  readonly addons: readonly ReportedAddon[];
};

const status: Decoder<{
  platform: string;
  config_version?: string | undefined;
  addons: { addon_id: string; version: string; state: AddonState; error?: string | undefined }[];
}> = object({
  platform: string("os/arch", isPlatform),
  config_version: optional(string("a config_version", (text) => /^v[0-9a-f]{64}$/u.test(text))),
  addons: list(
    object({
      addon_id: string("a name", isSegment),
      version: string("a version", isSegment),
      state: narrowed(`one of ${ADDON_STATES.join(", ")}`, (text): text is AddonState => STATES.has(text)),
      error: optional(string()),
    }),
    LIMITS.reportedAddons,
  ),
});

/** Throws WireRefusal. Errors of programs are foreign text: cut, and made inert here, once. */
export function readHostStatus(body: JsonValue): HostStatus {
  const decoded = decode(status, body);
  if (!decoded.ok) throw new WireRefusal("invalid_field", decoded.problems.slice(0, 5).join("; "));
  const { platform, config_version, addons } = decoded.value;
  return {
    platform,
    config_version: config_version ?? null,
    addons: addons
      .map(({ error, ...addon }) => ({
        ...addon,
        ...(error === undefined ? {} : { error: printable(error, LIMITS.reportedErrorChars) }),
      }))
      .sort((a, b) => (a.addon_id < b.addon_id ? -1 : 1)),
  };
}
