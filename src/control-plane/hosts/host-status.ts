import {
  boolean,
  decode,
  list,
  narrowed,
  nullable,
  object,
  optional,
  string,
  type Decoder,
} from "../../base/decode.ts";
import { isImageDigest } from "../../base/digest.ts";
import type { JsonValue } from "../../base/json.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/printable.ts";
import { isPlatform, isSegment } from "../addons/addon-fields.ts";
import { WireRefusal } from "../http/wire.ts";

/** How an add-on runs, in the words of its agent; of what no agent runs, how its staging ended. */
export const ADDON_STATES = [
  "stopped",
  "starting",
  "running",
  "degraded",
  "unhealthy",
  "restarting",
  "circuit_open",
  "staged",
  "unchanged",
  "kept_last_known_good",
  "skipped",
  "disabled",
  "acknowledged",
  "unsupported",
  "unknown",
] as const;

type AddonState = (typeof ADDON_STATES)[number];
const STATES: ReadonlySet<string> = new Set(ADDON_STATES);

/** A version of an add-on. A program that the host brings itself has no digest that anybody knows. */
export type ReportedVersion = { readonly version: string; readonly digest: string | null };

/** What a host says of one add-on: what it has and what it was offered, apart. */
export type ReportedAddon = {
  readonly addon_id: string;
  readonly state: AddonState;
  readonly has: ReportedVersion | null;
  readonly offered: ReportedVersion | null;
  readonly last_known_good: string | null;
  readonly on_trial: boolean;
  readonly blocked: readonly string[];
  readonly last_error: string | null;
};

export type HostStatus = {
  readonly platform: string;
  readonly config_version: string | null;
  readonly addons: readonly ReportedAddon[];
};

const MOST_BLOCKED = 100;

const digest = narrowed("sha256:<64 hex>", isImageDigest);
const version: Decoder<ReportedVersion> = object({
  version: string("a version", isSegment),
  digest: nullable(digest),
});
const addon: Decoder<ReportedAddon> = object({
  addon_id: string("a name", isSegment),
  state: narrowed(`one of ${ADDON_STATES.join(", ")}`, (text): text is AddonState => STATES.has(text)),
  has: nullable(version),
  offered: nullable(version),
  last_known_good: nullable(string("a version", isSegment)),
  on_trial: boolean(),
  blocked: list(digest, MOST_BLOCKED),
  last_error: nullable(string()),
});
const status = object({
  platform: string("os/arch", isPlatform),
  config_version: optional(nullable(string("a config_version", (text) => /^[!-~]{1,200}$/u.test(text)))),
  addons: list(addon, LIMITS.reportedAddons),
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
      .map(({ last_error: error, ...one }) => ({
        ...one,
        last_error: error === null ? null : printable(error, LIMITS.reportedErrorChars),
      }))
      .sort((a, b) => (a.addon_id < b.addon_id ? -1 : 1)),
  };
}
