import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { freePort } from "../../support/programs.ts";
import { AgentHost } from "./agent-process.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const QUICK = { interval_ms: 50, timeout_ms: 1_000, ready_ms: 20_000, window_ms: 100, stop_ms: 300 };
const PYTHON =
  "#!/usr/bin/env python3\nimport os, socket, sys, time\nos.chdir(os.environ['WAYBILL_ADDON_STATE_DIR'])\n";
/** Not well before it is told to be, so that asking is seen to decide. */
const LATER = "while not os.path.exists('go'): time.sleep(0.02)\n";
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
    [
      "handshake on the other loopback",
      () => ({ kind: "handshake" }),
      () => `s = socket.socket(socket.AF_INET6); s.bind(('::1', 0)); s.listen()
${LATER}print('1|1|tcp|[::1]:%d|grpc|' % s.getsockname()[1], flush=True)${WAITS}`,
    ],
  ];
  const often = new Set([
    ...["http", "exec", "sd_notify", "handshake"],
    ...(existsSync("/proc/net/if_inet6") ? ["handshake on the other loopback"] : []),
  ]);
  test.each(probes.filter(([name]) => FULL || often.has(name)))("%s", async (_name, probe, program) => {
    using host = new AgentHost();
    const port = await freePort();
    host.assign(await host.bundle("1", PYTHON + program(port), { health: { ...QUICK, probe: probe(port) } }));
    host.start();
    await host.until(({ state, pid }) => state === "starting" && pid !== null);
    writeFileSync(host.state("go"), "");
    await host.until(({ state, last_known_good: good }) => state === "running" && good === "1");
    expect(await host.stop()).toBe(0);
  });
});

test.each(FULL ? [429, 503] : [429])(
  "case 89: a program that answers %p is degraded, and not what has to be replaced",
  async (status) => {
    using host = new AgentHost();
    const port = await freePort();
    const program = `import http.server
class H(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    self.send_response(${status}); self.end_headers()
http.server.HTTPServer(('127.0.0.1', ${port}), H).serve_forever()`;
    const probe = { kind: "http", port, path: "/" };
    host.assign(host.program("sensor", "1", "#!/bin/sh\nexec sleep 1000\n"));
    host.start();
    await host.until(({ last_known_good: good }) => good === "1");
    host.assign(await host.bundle("2", PYTHON + program, { health: { ...QUICK, ready_ms: 5_000, probe } }));
    const { pid } = await host.until(({ state, has }) => state === "degraded" && has?.version === "2");
    await host.rounds(4);
    expect(host.report()).toMatchObject({ pid, state: "degraded", on_trial: true, blocked: [] });
    await host.stop();
  },
);
