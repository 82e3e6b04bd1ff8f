import { describe, expect, test } from "bun:test";
import { decodeManifest, NO_MANIFEST } from "../../../src/addons/supervision/manifest.ts";
import { USUAL_HEALTH } from "../../../src/addons/supervision/health.ts";
import type { JsonMap, JsonValue } from "../../../src/base/json.ts";
import { refusalOf } from "../../trust/refusal.ts";

const DAY_MS = 86_400_000;

function healthOf(said: JsonMap): unknown {
  return decodeManifest({ health: said }).health;
}

function probeOf(said: JsonValue): unknown {
  return decodeManifest({ health: { probe: said } }).health?.probe;
}

describe("a manifest", () => {
  test("that says nothing is none", () => {
    expect(decodeManifest({})).toEqual(NO_MANIFEST);
    expect(decodeManifest({ schema: "waybill.manifest/v1" })).toEqual(NO_MANIFEST);
  });

  test("is read whole", () => {
    const service = {
      type: "notify",
      user: "_sensor-1",
      restart: "always",
      restart_sec: 1,
      start_sec: 2,
      stop_sec: 3,
      watchdog_sec: 4,
      wait_for_network: true,
      address_families: ["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"],
    };
    const timer = {
      on_calendar: ["Mon..Fri *-*-* 02:00:00/15 +1~2", "hourly"],
      on_boot: "5min",
      on_unit_active: "1h",
      randomized_delay: "30s",
      accuracy: "1us",
      persistent: false,
    };
    const health = {
      probe: { kind: "tcp", port: 80 },
      interval_ms: 1_000,
      timeout_ms: 2_000,
      misses: 4,
      ready_ms: 5_000,
      window_ms: 6_000,
      stop_ms: 7_000,
    };
    expect<object>(decodeManifest({ service, timer, health })).toEqual({ service, timer, health });
  });

  test.each<JsonMap>([
    { type: "exec" },
    { type: "notify" },
    { restart: "on-failure" },
    { restart: "always" },
    { restart: "no" },
  ])("may wish for %p", (service) => {
    expect<object>(decodeManifest({ service }).service).toEqual(service);
  });

  test("of another schema says which one is known", () => {
    const refusal = refusalOf(() => decodeManifest({ schema: "waybill.manifest/v2" }));
    expect(refusal.message).toBe(
      'waybill.manifest: schema is "waybill.manifest/v2"; wanted waybill.manifest/v1',
    );
  });

  test("of a probe alone has the usual times", () => {
    expect(healthOf({})).toEqual(USUAL_HEALTH);
    expect(healthOf({ misses: 1 })).toEqual({ ...USUAL_HEALTH, misses: 1 });
    expect(USUAL_HEALTH).toEqual({
      probe: { kind: "process" },
      interval_ms: 5_000,
      timeout_ms: 5_000,
      misses: 3,
      ready_ms: 30_000,
      window_ms: 60_000,
      stop_ms: 10_000,
    });
  });

  test.each<[string, JsonValue]>([
    ["a member that nobody knows", { sandbox: "strict" }],
    ["a member of the service that nobody knows", { service: { group: "wheel" } }],
    ["a member of the timer that nobody knows", { timer: { on_active: "1h" } }],
    ["a member of health that nobody knows", { health: { retries: 1 } }],
    ["another type of service", { service: { type: "forking" } }],
    ["another way to restart", { service: { restart: "on-abort" } }],
    ["root as its user", { service: { user: "root" } }],
    ["a family that is not let through", { service: { address_families: ["AF_VSOCK"] } }],
    ["six families", { service: { address_families: Array<string>(6).fill("AF_UNIX") } }],
    ["seventeen times", { timer: { on_calendar: Array<string>(17).fill("hourly") } }],
    ["text for a health", { health: "tcp" }],
  ])("with %s is refused", (_what, document) => {
    const refusal = refusalOf(() => decodeManifest(document));
    expect(refusal.code).toBe("manifest_invalid");
    expect(refusal.message).toStartWith("waybill.manifest: ");
  });

  test("that is wrong in many places names five", () => {
    const service = { type: 1, user: 1, restart: 1, restart_sec: "", start_sec: "", stop_sec: "" };
    const { message } = refusalOf(() => decodeManifest({ service }));
    expect([message.match(/; wanted/gu)?.length, message.includes("stop_sec")]).toEqual([5, false]);
  });

  test("lists sixteen times", () => {
    const on_calendar = Array<string>(16).fill("hourly");
    expect(decodeManifest({ timer: { on_calendar } }).timer?.on_calendar).toEqual(on_calendar);
  });
});

test.each<[string, (value: number) => JsonMap, number, number]>([
  ["interval_ms", (interval_ms) => ({ health: { interval_ms } }), 50, 3_600_000],
  ["timeout_ms", (timeout_ms) => ({ health: { timeout_ms } }), 50, 600_000],
  ["misses", (misses) => ({ health: { misses } }), 1, 100],
  ["ready_ms", (ready_ms) => ({ health: { ready_ms } }), 100, DAY_MS],
  ["window_ms", (window_ms) => ({ health: { window_ms } }), 0, DAY_MS],
  ["stop_ms", (stop_ms) => ({ health: { stop_ms } }), 0, 600_000],
  ["port", (port) => ({ health: { probe: { kind: "tcp", port } } }), 1, 65_535],
  ["max_ms", (max_ms) => ({ health: { probe: { kind: "file_age", path: "a", max_ms } } }), 1, DAY_MS],
  ["watchdog_ms", (watchdog_ms) => ({ health: { probe: { kind: "sd_notify", watchdog_ms } } }), 100, DAY_MS],
  ["restart_sec", (restart_sec) => ({ service: { restart_sec } }), 0, 86_400],
])("%s is bounded on both sides", (name, said, least, most) => {
  for (const value of [least, most]) expect(() => decodeManifest(said(value))).not.toThrow();
  for (const value of [least - 1, most + 1])
    expect(refusalOf(() => decodeManifest(said(value))).message).toContain(`${name} is ${value}; wanted`);
});

describe("a probe", () => {
  test.each<[JsonMap, JsonMap]>([
    [{ kind: "process" }, {}],
    [{ kind: "exec", args: ["--health", ""] }, {}],
    [{ kind: "http", port: 80, path: "/health?x=~" }, {}],
    [{ kind: "tcp", port: 80 }, {}],
    [{ kind: "unix", path: "run/a.sock" }, {}],
    [{ kind: "file_age", path: "beat", max_ms: 7 }, {}],
    [{ kind: "sd_notify" }, { watchdog_ms: null }],
    [{ kind: "sd_notify", watchdog_ms: 2_000 }, {}],
    [{ kind: "handshake" }, { cookie: null }],
    [{ kind: "handshake", cookie: { name: "_COOKIE_1", value: "" } }, {}],
  ])("%p is read", (said, absent) => {
    expect(probeOf(said)).toEqual({ ...said, ...absent });
  });

  const kinds = "process, exec, http, tcp, unix, file_age, sd_notify, handshake";
  test.each<[JsonValue, string]>([
    [{ kind: "ping" }, `health.probe.kind is "ping"; wanted one of ${kinds}`],
    [{ kind: "constructor" }, `health.probe.kind is "constructor"; wanted one of ${kinds}`],
    [{ kind: ["tcp"], port: 80 }, `health.probe.kind is a list; wanted one of ${kinds}`],
    ["tcp", `health.probe.kind is missing; wanted one of ${kinds}`],
    [null, `health.probe.kind is missing; wanted one of ${kinds}`],
    [{ kind: "process", args: [] }, "health.probe.args is not a known member"],
    [{ kind: "exec" }, "health.probe.args is missing; wanted a list"],
    [{ kind: "exec", args: [], port: 1 }, "health.probe.port is not a known member"],
    [{ kind: "exec", args: Array<string>(101).fill("") }, "wanted at most 100 entries"],
    [{ kind: "tcp" }, "health.probe.port is missing"],
    [{ kind: "tcp", port: 80, host: "example.com" }, "health.probe.host is not a known member"],
    [{ kind: "http", port: 80, path: "/", host: "example.com" }, "health.probe.host is not a known member"],
    [{ kind: "unix", path: "a", mode: 1 }, "health.probe.mode is not a known member"],
    [{ kind: "file_age", path: "a", max_ms: 1, mode: 1 }, "health.probe.mode is not a known member"],
    [{ kind: "sd_notify", mode: 1 }, "health.probe.mode is not a known member"],
    [{ kind: "handshake", mode: 1 }, "health.probe.mode is not a known member"],
    [
      { kind: "handshake", cookie: { name: "A", value: "", secret: true } },
      "health.probe.cookie.secret is not a known member",
    ],
  ])("%p is refused", (said, message) => {
    expect(refusalOf(() => probeOf(said)).message).toContain(message);
  });

  test("calls its program with a hundred arguments", () => {
    const args = Array<string>(100).fill("");
    expect(probeOf({ kind: "exec", args })).toEqual({ kind: "exec", args });
  });
});

const path = (text: string): JsonMap => ({ health: { probe: { kind: "unix", path: text } } });
const url = (text: string): JsonMap => ({ health: { probe: { kind: "http", port: 80, path: text } } });
const cookie = (name: string): JsonMap => ({
  health: { probe: { kind: "handshake", cookie: { name, value: "" } } },
});
const user = (text: string): JsonMap => ({ service: { user: text } });
const time = (text: string): JsonMap => ({ timer: { on_boot: text } });

test.each<[string, (text: string) => JsonMap, string[], string[]]>([
  [
    "a path below the state",
    path,
    ["a", "9/b.sock", "A._+-/b", "a".repeat(90)],
    ["", "/etc/passwd", "../run", "a/../b", "a/", "a//b", ".a", "a b", "-a", "a/-b", "a/b c", "a".repeat(91)],
  ],
  [
    "a path of a page",
    url,
    ["/", "/!~", `/${"a".repeat(500)}`],
    ["", "a", "x/", "/ ", "/é", `/${"a".repeat(501)}`],
  ],
  [
    "a name of a variable",
    cookie,
    ["_", "A1", `a${"b".repeat(100)}`],
    ["", "1A", "A-B", "LD PRELOAD", `a${"b".repeat(101)}`],
  ],
  [
    "a user",
    user,
    ["a", "_a-1", `a${"b".repeat(30)}`],
    ["", "A", "1a", "-a", "a.b", "root", `a${"b".repeat(31)}`],
  ],
  [
    "a time",
    time,
    ["1h 5min", "*-*-~1", "a".repeat(120)],
    ["", "%n", "1h\n", "a;b", "\n1h", "a".repeat(121)],
  ],
])("%s", (_what, said, taken, refused) => {
  const isTaken = (text: string): boolean => {
    try {
      decodeManifest(said(text));
      return true;
    } catch {
      return false;
    }
  };
  expect(taken.filter((text) => !isTaken(text))).toEqual([]);
  expect(refused.filter(isTaken)).toEqual([]);
});
