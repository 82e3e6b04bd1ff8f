import { expect, test } from "bun:test";
import { chmodSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { bootId, startTicks } from "../../../src/host/process-table.ts";
import { AgentHost, QUICK, STAYS } from "./agent-process.ts";

test("a version that fails goes back also while a store lets another add-on wait", async () => {
  using host = new AgentHost();
  host.assign(await host.bundle("1", STAYS, { health: QUICK }));
  host.start();
  await host.until(({ last_known_good: good, state }) => good === "1" && state === "running");
  const asked = Promise.withResolvers<void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      asked.resolve();
      return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
    },
  });
  try {
    await host.stop();
    host.start("--allow-insecure-http");
    const breaks =
      '#!/bin/sh\nwhile [ ! -e "$WAYBILL_ADDON_STATE_DIR/break" ]; do sleep 0.05; done\nexit 1\n';
    const manifest = { health: { ...QUICK, window_ms: 60_000 } };
    const second = await host.bundle("2", breaks, manifest);
    host.assign(second);
    await host.until(({ has, state }) => has?.version === "2" && state === "running");
    const other = host.program("other", "1");
    host.assign(second, { ...other, artifact_object_key: `http://127.0.0.1:${server.port}/other` });
    await asked.promise;
    writeFileSync(host.state("break"), "");
    for (let tries = 0; readlinkSync(host.path("sensor/current")) !== "versions/1"; tries++) {
      if (tries > 800) throw new Error("it never went back");
      await Bun.sleep(25);
    }
    await host.stop();
  } finally {
    await server.stop(true);
  }
  expect(host.said).toContain("went back from 2 to 1");
});

test("case 50: a process that has the number of a dead program is neither taken over nor ended", async () => {
  using host = new AgentHost();
  host.assign(await host.bundle("1", STAYS, { health: QUICK }));
  host.start();
  await host.until(({ state }) => state === "running");
  const pid = host.report()?.pid ?? 0;
  await host.stop("SIGKILL");
  process.kill(pid, "SIGKILL");
  const stranger = Bun.spawn(["sleep", "60"]);
  try {
    const note = host.path("sensor/.waybill-run.json");
    const noted = JSON.parse(readFileSync(note, "utf8")) as Record<string, unknown>;
    expect(noted["pid"]).toBe(pid);
    writeFileSync(note, JSON.stringify({ ...noted, pid: stranger.pid }));
    host.start();
    await host.until((report) => report.state === "running" && report.pid !== pid && report.starts === 1);
    expect(host.report()?.pid).not.toBe(stranger.pid);
    await host.stop();
    expect(stranger.exitCode).toBeNull();
    expect(stranger.signalCode).toBeNull();
  } finally {
    stranger.kill("SIGKILL");
    await stranger.exited;
  }
});

test("a note of a start that others could have written ends nobody, and is not written over", async () => {
  using host = new AgentHost();
  host.assign(await host.bundle("1", STAYS, { health: QUICK }));
  expect((await host.stage()).exit).toBe(0);
  const stranger = Bun.spawn(["setsid", "sleep", "60"]);
  try {
    const note = host.path("sensor/.waybill-run.json");
    const forged = JSON.stringify({
      nonce: "0".repeat(32),
      boot: bootId(),
      key: "",
      pid: stranger.pid,
      start_ticks: startTicks(stranger.pid),
      stdout_from: 0,
    });
    writeFileSync(note, forged);
    chmodSync(note, 0o666);
    host.start();
    await host.until(({ last_error: error }) => error !== null);
    expect(host.report()?.last_error).toContain("has mode 0666");
    expect(await host.stop()).toBe(0);
    expect(readFileSync(note, "utf8")).toBe(forged);
    expect(host.processes()).toEqual([]);
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
    chmodSync(note, 0o600);
    writeFileSync(note, "null");
    host.start();
    await host.until(({ state }) => state === "running");
    await host.stop();
  } finally {
    stranger.kill("SIGKILL");
    await stranger.exited;
  }
});

test.each([
  ["full", 'exec "$@" >/dev/full', 1],
  ["closed", 'exec "$@" >&-', 1],
  ["a pipe that nobody reads", '{ "$@"; echo $? >"$HOME/code"; } | true; exit "$(cat "$HOME/code")"', 0],
])("it supervises although its standard output is %s, and says so at the end", async (_name, shell, code) => {
  using host = new AgentHost();
  host.assign(await host.bundle("1", STAYS, { health: QUICK }));
  host.environment = { HOME: host.home };
  host.startUnder(["sh", "-c", shell, "sh"]);
  await host.until(({ state }) => state === "running");
  const [agent] = host.agents();
  if (agent === undefined) throw new Error("no agent runs");
  process.kill(agent, "SIGTERM");
  expect(await host.ended()).toBe(code);
  expect(host.processes()).toEqual([]);
});
