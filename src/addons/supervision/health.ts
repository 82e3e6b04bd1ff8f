import { isMap, list, object, optional, string, within, type Decoder } from "../../base/decode.ts";

/** How it is found out whether a program is well. Only its own program, this machine and its own folder are asked. */
export type Probe =
  /** It runs. */
  | { readonly kind: "process" }
  /** Its program, called with these arguments, ends with 0; with 3 it is degraded, with 75 it cannot tell. */
  | { readonly kind: "exec"; readonly args: readonly string[] }
  /** 2xx from 127.0.0.1; 429 and 503 say that it is degraded, not broken. */
  | { readonly kind: "http"; readonly port: number; readonly path: string }
  | { readonly kind: "tcp"; readonly port: number }
  /** Below its state folder. */
  | { readonly kind: "unix"; readonly path: string }
  /** A file below its state folder was written within the last `max_ms`. */
  | { readonly kind: "file_age"; readonly path: string; readonly max_ms: number }
  /** It says READY=1, and WATCHDOG=1 within each `watchdog_ms` when there is one. */
  | { readonly kind: "sd_notify"; readonly watchdog_ms: number | null }
  /** Its first line is a go-plugin handshake; then the address in it is asked. */
  | { readonly kind: "handshake"; readonly cookie: { readonly name: string; readonly value: string } | null };

export type Health = {
  readonly probe: Probe;
  /** Milliseconds, all of them. Between two probes, and for one of them. */
  readonly interval_ms: number;
  readonly timeout_ms: number;
  /** Probes in a row that may fail. */
  readonly misses: number;
  /** Until it has to be well for the first time. */
  readonly ready_ms: number;
  /** How long a new version has to be well before it is the last known good. */
  readonly window_ms: number;
  /** From SIGTERM to SIGKILL. */
  readonly stop_ms: number;
};

/** As in the original, and a window as long as its agent takes for itself. */
export const USUAL_HEALTH: Health = {
  probe: { kind: "process" },
  interval_ms: 5_000,
  timeout_ms: 5_000,
  misses: 3,
  ready_ms: 30_000,
  window_ms: 60_000,
  stop_ms: 10_000,
};

const DAY_MS = 86_400_000;
const port = within(1, 65_535);

/** A relative path that stays below its folder, whatever is there. */
const below = string(
  "a path below the state folder",
  (text) =>
    /^[A-Za-z0-9][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9][A-Za-z0-9._+-]*)*$/u.test(text) && text.length <= 90,
);
const httpPath = string("a path that begins with /", (text) => /^\/[!-~]{0,500}$/u.test(text));
const word = string("a name of letters, digits and _", (text) =>
  /^[A-Za-z_][A-Za-z0-9_]{0,100}$/u.test(text),
);

const kind = string();
const cookie = object({ name: word, value: string() }, "refused");

/** One decoder for each kind, which gives the probe. */
const PROBES: Readonly<Record<Probe["kind"], Decoder<Probe>>> = {
  process: of(object({ kind }, "refused"), () => ({ kind: "process" })),
  exec: of(object({ kind, args: list(string(), 100) }, "refused"), ({ args }) => ({ kind: "exec", args })),
  http: of(object({ kind, port, path: httpPath }, "refused"), (found) => ({
    kind: "http",
    port: found.port,
    path: found.path,
  })),
  tcp: of(object({ kind, port }, "refused"), (found) => ({ kind: "tcp", port: found.port })),
  unix: of(object({ kind, path: below }, "refused"), ({ path }) => ({ kind: "unix", path })),
  file_age: of(object({ kind, path: below, max_ms: within(1, DAY_MS) }, "refused"), (found) => ({
    kind: "file_age",
    path: found.path,
    max_ms: found.max_ms,
  })),
  sd_notify: of(object({ kind, watchdog_ms: optional(within(100, DAY_MS)) }, "refused"), (found) => ({
    kind: "sd_notify",
    watchdog_ms: found.watchdog_ms ?? null,
  })),
  handshake: of(object({ kind, cookie: optional(cookie) }, "refused"), (found) => ({
    kind: "handshake",
    cookie: found.cookie ?? null,
  })),
};

function of<T>(decoder: Decoder<T>, make: (found: T) => Probe): Decoder<Probe> {
  return (value, path, problems) => {
    const found = decoder(value, path, problems);
    return found === undefined ? undefined : make(found);
  };
}

const probe: Decoder<Probe> = (value, path, problems) => {
  const named = isMap(value) ? value["kind"] : undefined;
  if (typeof named === "string" && isKind(named)) return PROBES[named](value, path, problems);
  string(`one of ${Object.keys(PROBES).join(", ")}`, () => false)(named, `${path}.kind`, problems);
  return undefined;
};

function isKind(text: string): text is Probe["kind"] {
  return Object.hasOwn(PROBES, text);
}

const members = object(
  {
    probe: optional(probe),
    interval_ms: optional(within(50, 3_600_000)),
    timeout_ms: optional(within(50, 600_000)),
    misses: optional(within(1, 100)),
    ready_ms: optional(within(100, DAY_MS)),
    window_ms: optional(within(0, DAY_MS)),
    stop_ms: optional(within(0, 600_000)),
  },
  "refused",
);

export const healthDecoder: Decoder<Health> = (value, path, problems) => {
  const decoded = members(value, path, problems);
  if (decoded === undefined) return undefined;
  return { ...USUAL_HEALTH, ...decoded };
};
