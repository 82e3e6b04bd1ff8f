import {
  boolean,
  decode,
  list,
  object,
  oneOf,
  optional,
  string,
  within,
  type Decoder,
} from "../../base/decode.ts";
import { Failure } from "../../base/failure.ts";
import type { JsonValue } from "../../base/json.ts";
import { healthDecoder, type Health } from "./health.ts";

/** The file of a bundle that says how its program wants to be run; as signed as the program itself. */
export const MANIFEST_NAME = "waybill.manifest";

export type ServiceWishes = {
  readonly type?: "exec" | "notify" | undefined;
  /** A user of the host; without one systemd makes one for the service. Never root. */
  readonly user?: string | undefined;
  readonly restart?: "on-failure" | "always" | "no" | undefined;
  /** Seconds. */
  readonly restart_sec?: number | undefined;
  readonly start_sec?: number | undefined;
  readonly stop_sec?: number | undefined;
  readonly watchdog_sec?: number | undefined;
  readonly wait_for_network?: boolean | undefined;
  readonly address_families?: readonly string[] | undefined;
};

export type TimerWishes = {
  /** As `systemd.time` spells them. */
  readonly on_calendar?: readonly string[] | undefined;
  readonly on_boot?: string | undefined;
  readonly on_unit_active?: string | undefined;
  readonly randomized_delay?: string | undefined;
  readonly accuracy?: string | undefined;
  readonly persistent?: boolean | undefined;
};

export type Manifest = {
  readonly service: ServiceWishes;
  readonly timer: TimerWishes | null;
  readonly health: Health | null;
};

export const NO_MANIFEST: Manifest = { service: {}, timer: null, health: null };

const seconds = within(0, 86_400, " seconds");

const FAMILIES = ["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"] as const;

/** What may stand behind `OnCalendar=` and the spans: no line break, no specifier. */
export function isTimeText(text: string): boolean {
  return /^[A-Za-z0-9*,./:~ +-]{1,120}$/u.test(text);
}

/** A name of a user as the system takes it, and none that is root. */
export function isServiceUser(text: string): boolean {
  return /^[a-z_][a-z0-9_-]{0,30}$/u.test(text) && text !== "root";
}

const time = string("a time as in systemd.time", isTimeText);

export const serviceDecoder: Decoder<ServiceWishes> = object(
  {
    type: optional(oneOf("exec", "notify")),
    user: optional(string("the name of a user other than root", isServiceUser)),
    restart: optional(oneOf("on-failure", "always", "no")),
    restart_sec: optional(seconds),
    start_sec: optional(seconds),
    stop_sec: optional(seconds),
    watchdog_sec: optional(seconds),
    wait_for_network: optional(boolean()),
    address_families: optional(list(oneOf(...FAMILIES), FAMILIES.length)),
  },
  "refused",
);

const timerDecoder: Decoder<TimerWishes> = object(
  {
    on_calendar: optional(list(time, 16)),
    on_boot: optional(time),
    on_unit_active: optional(time),
    randomized_delay: optional(time),
    accuracy: optional(time),
    persistent: optional(boolean()),
  },
  "refused",
);

const decoder = object(
  {
    schema: optional(string("waybill.manifest/v1", (text) => text === "waybill.manifest/v1")),
    service: optional(serviceDecoder),
    timer: optional(timerDecoder),
    health: optional(healthDecoder),
  },
  "refused",
);

/** The manifest of a document. What it says and we do not know is refused: it may be what keeps a host safe. */
export function decodeManifest(document: JsonValue): Manifest {
  const decoded = decode(decoder, document);
  if (!decoded.ok) {
    throw new Failure("manifest_invalid", `${MANIFEST_NAME}: ${decoded.problems.slice(0, 5).join("; ")}`);
  }
  const { service = {}, timer = null, health = null } = decoded.value;
  return { service, timer, health };
}
