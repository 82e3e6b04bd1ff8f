import { describe, expect, test } from "bun:test";
import { readHandshake } from "../../../src/addons/supervision/handshake.ts";
import { decodeManifest } from "../../../src/addons/supervision/manifest.ts";
import { nextPollMs } from "../../../src/addons/supervision/next-poll.ts";
import { freePort } from "../../support/programs.ts";
import { AgentHost } from "./agent-process.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const QUICK = { interval_ms: 50, timeout_ms: 1_000, ready_ms: 20_000, window_ms: 100, stop_ms: 300 };
const PYTHON =
  "#!/usr/bin/env python3\nimport os, socket, sys, time\nos.chdir(os.environ['WAYBILL_ADDON_STATE_DIR'])\n";
/** Not well before a moment has passed, so that asking is seen to decide. */
const LATER = "time.sleep(0.3)\n";
const WAITS = "\ntime.sleep(1000)\n";

describe("probes, each with a real program", () => {
  const probes: [string, (port: number) => unknown, (port: number) => string][] = [
    [
      "http",
      (port) => ({ kind: "http", port, path: "/health" }),
      (port) => `${LATER}import http.server
class H(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    self.send_response(200 if self.path == '/health' else 500); self.end_headers()
http.server.HTTPServer(('127.0.0.1', ${port}), H).serve_forever()`,
    ],
    [
      "tcp",
      (port) => ({ kind: "tcp", port }),
      (port) => `${LATER}s = socket.create_server(('127.0.0.1', ${port}))${WAITS}`,
    ],
    [
      "unix",
      () => ({ kind: "unix", path: "sock" }),
      () => `${LATER}s = socket.socket(socket.AF_UNIX); s.bind('sock'); s.listen()${WAITS}`,
    ],
    [
      "file_age",
      () => ({ kind: "file_age", path: "beat", max_ms: 2_000 }),
      () => `${LATER}while True:\n  open('beat', 'w').close(); time.sleep(0.1)`,
    ],
    [
      "exec",
      () => ({ kind: "exec", args: ["--health"] }),
      () =>
        `if '--health' in sys.argv: sys.exit(0 if os.path.exists('up') else 1)\n${LATER}open('up', 'w').close()${WAITS}`,
    ],
    [
      "sd_notify",
      () => ({ kind: "sd_notify", watchdog_ms: 2_000 }),
      () => `${LATER}s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET'])
s.send(b'STATUS=loading')
s.send(b'READY=1')
while True:
  s.send(b'WATCHDOG=1'); time.sleep(0.1)`,
    ],
    [
      "handshake",
      () => ({ kind: "handshake", cookie: { name: "COOKIE", value: "c1" } }),
      () => `assert os.environ['COOKIE'] == 'c1'
s = socket.socket(socket.AF_UNIX); s.bind('plugin.sock'); s.listen()
${LATER}print('1|1|unix|' + os.getcwd() + '/plugin.sock|grpc|', flush=True)${WAITS}`,
    ],
  ];
  const often = new Set(["http", "exec", "sd_notify", "handshake"]);
  test.each(probes.filter(([name]) => FULL || often.has(name)))("%s", async (_name, probe, program) => {
    using host = new AgentHost();
    const port = await freePort();
    host.assign(await host.bundle("1", PYTHON + program(port), { health: { ...QUICK, probe: probe(port) } }));
    host.start();
    await host.until(({ state }) => state === "starting");
    await host.until(({ state, last_known_good: good }) => state === "running" && good === "1");
    expect(await host.stop()).toBe(0);
  });
});

test.each([
  ["1|1|unix|/tmp/p.sock|grpc", { path: "/tmp/p.sock" }],
  ["1|5|tcp|127.0.0.1:1234|netrpc", { port: 1_234 }],
  ["1|1|unix|/tmp/p.sock|grpc|MIIB", { path: "/tmp/p.sock" }],
  ["1|1|unix|relative|grpc", null],
  ["1|1|tcp|10.0.0.1:1234|grpc", null],
  ["1|1|tcp|127.0.0.1:99999|grpc", null],
  ["1|1|pipe|/x|grpc", null],
  ["hello", null],
  ["", null],
  ["x|1|unix|/tmp/p.sock|grpc", null],
])("the handshake %p is %p", (line, listening) => {
  expect(readHandshake(line)).toEqual(listening);
});

describe("a manifest is refused for", () => {
  test.each([
    ["another kind of probe", { health: { probe: { kind: "ping" } } }],
    ["a probe without its port", { health: { probe: { kind: "tcp" } } }],
    ["a port that is none", { health: { probe: { kind: "tcp", port: 70_000 } } }],
    ["another host", { health: { probe: { kind: "http", port: 80, path: "/", host: "example.com" } } }],
    ["a path outside of the state", { health: { probe: { kind: "unix", path: "../../run/docker.sock" } } }],
    ["an absolute path", { health: { probe: { kind: "file_age", path: "/etc/passwd", max_ms: 1 } } }],
    ["an interval that never rests", { health: { interval_ms: 0 } }],
    [
      "a cookie that is no name",
      { health: { probe: { kind: "handshake", cookie: { name: "LD PRELOAD", value: "" } } } },
    ],
  ])("%s", (_name, document) => {
    expect(() => decodeManifest(document)).toThrow(/waybill\.manifest/u);
  });
});

test.each([
  [60_000, null, 0, 54_000],
  [60_000, null, 1, 66_000],
  [60_000, "120", 0, 120_000],
  [60_000, "120", 1, 132_000],
  [60_000, "1", 0.5, 60_000],
  [60_000, "Thu, 01 Jan 1970 00:03:20 GMT", 0, 199_000],
  [60_000, "999999999", 0, 3_600_000],
  [60_000, "soon", 0.5, 60_000],
])(
  "with an interval of %p and Retry-After %p at %p the next question comes after %p ms",
  (interval, after, random, ms) => {
    expect(nextPollMs(interval, after, 1_000, random)).toBe(ms);
  },
);
