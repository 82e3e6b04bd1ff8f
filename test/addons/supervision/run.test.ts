import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memoryGroup } from "../../support/memory-group.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { AgentHost, counting, STAYS } from "./agent-process.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const QUICK = { interval_ms: 50, timeout_ms: 1_000, ready_ms: 1_000, window_ms: 400, stop_ms: 300 };
const PROCESS = { health: { ...QUICK, probe: { kind: "process" } } };
/** There, executable, and no program. */
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const UNSTARTABLE = join(folder.path, "interpreter");
writeFileSync(UNSTARTABLE, "\u0000", { mode: 0o755 });
const EXEC = { health: { ...QUICK, probe: { kind: "exec", args: ["--health"] } } };

/** Runs version 1 until it is known good. */
async function running(manifest: unknown = PROCESS, program = STAYS): Promise<AgentHost> {
  const host = new AgentHost();
  host.assign(await host.bundle("1", program, manifest));
  host.start();
  await host.until(
    ({ last_known_good: good, on_trial: trial, state }) => good === "1" && !trial && state === "running",
  );
  return host;
}

describe("addon run", () => {
  test("stages, starts, watches, and says what it has and was offered; SIGTERM ends all of it", async () => {
    using host = await running();
    const report = host.report();
    expect(report).toMatchObject({
      state: "running",
      has: { version: "1" },
      offered: { version: "1" },
      starts: 1,
      last_error: null,
    });
    const [pid] = host.processes();
    expect(pid).toBeDefined();
    expect(readFileSync(`/proc/${report?.pid}/stat`, "utf8").split(") ")[1]?.split(" ")[2]).toBe(
      String(report?.pid),
    );
    expect(await host.stop()).toBe(0);
    expect(host.processes()).toEqual([]);
    expect(host.report()).toMatchObject({ state: "stopped", pid: null });
  });

  test("a new version replaces the old one, and is known good after its window", async () => {
    using host = await running();
    // Long enough that the trial is seen on a busy machine, too.
    host.assign(await host.bundle("2", STAYS, { health: { ...PROCESS.health, window_ms: 2_000 } }));
    await host.until(
      ({ has, on_trial: trial, state }) => has?.version === "2" && trial && state === "running",
    );
    await host.until(({ last_known_good: good }) => good === "2");
    expect(readFileSync(host.state("starts"), "utf8")).toBe("1\n2\n");
    expect(existsSync(host.state("double"))).toBe(false);
  });

  test("another configuration starts it anew; disabled and unassigned it ends", async () => {
    using host = await running();
    const { addons } = JSON.parse(readFileSync(host.list, "utf8")) as { addons: Record<string, unknown>[] };
    const entry = { ...addons[0], config_json: { changed: true } };
    const before = host.report()?.pid;
    host.assign(entry);
    await host.until(({ pid, state }) => pid !== null && pid !== before && state === "running");
    expect(JSON.parse(readFileSync(host.state(".waybill-config.json"), "utf8"))).toEqual({ changed: true });
    host.assign({ ...entry, enabled: false });
    await host.until(({ state }) => state === "stopped");
    host.assign(entry);
    await host.until(({ state }) => state === "running");
    host.assign();
    await host.until(({ state }) => state === "stopped");
    expect(host.processes()).toEqual([]);
  });

  test("a second agent on the same root is refused", async () => {
    using host = await running();
    const { exit, document } = await host.addon("run", ["--assignments", host.list, "--lock-timeout", "0s"]);
    expect({ exit, code: (document["error"] as { code: string }).code }).toEqual({
      exit: 11,
      code: "lock_held",
    });
  });

  test("a setting and a helper are not run, a program of the host is", async () => {
    using host = new AgentHost();
    const own = join(host.home, "own");
    writeFileSync(own, "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 });
    host.assign(
      { addon_id: "toggle", version: "1", enabled: true, supervision: "config-toggle" },
      host.program("helper", "1", STAYS, { supervision: "ephemeral-helper" }),
      { addon_id: "odd", version: "1", enabled: true, supervision: "quantum" },
      { addon_id: "own", version: "7", enabled: true, delivery: "os-package", binary_path: own },
    );
    host.start();
    await host.until(({ state }) => state === "running", "own");
    expect(host.report("own")).toMatchObject({ has: { version: "7", digest: null } });
    expect(host.report("toggle")).toMatchObject({ state: "acknowledged", pid: null });
    expect(host.report("helper")).toMatchObject({ state: "unchanged", pid: null });
    expect(host.report("odd")).toMatchObject({
      state: "unsupported",
      last_error: expect.stringContaining("quantum"),
    });
    await host.stop();
  });

  test("without its server it starts what was assigned last", async () => {
    using host = new AgentHost();
    const entry = host.program("sensor", "1", STAYS);
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.json({ addons: [entry] }),
    });
    const url = `http://127.0.0.1:${server.port}/list`;
    host.start("--assignments", url, "--allow-insecure-http");
    await host.until(({ last_known_good: good }) => good === "1");
    await host.stop();
    await server.stop(true);
    host.emptyStore();
    host.start("--assignments", url, "--allow-insecure-http");
    await host.until(({ state }) => state === "running");
    await host.stop();
  });

  test("its output has a ceiling", async () => {
    const noisy = counting(
      "head -c 3000000 /dev/zero | tr '\\\\0' x\n: >written\ntrap 'exit 0' TERM\nwhile :; do sleep 0.05; done",
    );
    using host = await running(PROCESS, noisy);
    for (let tries = 0; !existsSync(host.state("written")); tries++) {
      expect(tries).toBeLessThan(800);
      await Bun.sleep(25);
    }
    for (let tries = 0; statSync(host.path("sensor", "log", "stdout.log")).size > 1_048_576; tries++) {
      expect(tries).toBeLessThan(400);
      await Bun.sleep(25);
    }
    await host.stop();
  });
});

describe("a version that fails on trial goes back, once, and is not taken again", () => {
  const healthy = 'if [ "$1" = --health ]; then exit 0; fi\n';
  const bad: [string, string, unknown][] = [
    ["ends at once with 0", "#!/bin/sh\nexit 0\n", PROCESS],
    ["crashes at once", "#!/bin/sh\nexit 3\n", PROCESS],
    ["is killed, as by a lack of memory", "#!/bin/sh\nkill -KILL $$\n", PROCESS],
    ["crashes after a while", "#!/bin/sh\nsleep 0.2\nexit 1\n", PROCESS],
    [
      "runs and is never ready",
      STAYS,
      { health: { ...QUICK, ready_ms: 300, probe: { kind: "unix", path: "none.sock" } } },
    ],
    [
      "is ready, and then ill within its window",
      `#!/bin/sh\nif [ "$1" = --health ]; then [ ! -e "$WAYBILL_ADDON_STATE_DIR/ill" ]; exit $?; fi\n(sleep 0.2; : >"$WAYBILL_ADDON_STATE_DIR/ill") &\nwhile :; do sleep 0.05; done\n`,
      { health: { ...EXEC.health, window_ms: 60_000 } },
    ],
    [
      "is ill and ignores SIGTERM",
      "#!/bin/sh\ntrap '' TERM\nif [ \"$1\" = --health ]; then exit 1; fi\nwhile :; do sleep 0.05; done\n",
      { health: { ...EXEC.health, ready_ms: 300 } },
    ],
    ["is nothing that the machine starts", `#!${UNSTARTABLE}\n`, PROCESS],
    [
      "forks, and its parent ends",
      "#!/bin/sh\n(trap '' TERM HUP; while :; do sleep 0.05; done) &\nexit 0\n",
      PROCESS,
    ],
  ];
  // Each waits for the pauses between starts; two kinds of failing stand for the others in every run.
  const often = new Set(["crashes at once", "is ready, and then ill within its window"]);
  test.each(bad.filter(([name]) => FULL || often.has(name)))(
    "case 80: one that %s",
    async (_name, program, manifest) => {
      using host = await running(EXEC, `#!/bin/sh\n${healthy}${STAYS}`);
      host.assign(await host.bundle("2", program, manifest));
      const back = await host.until(
        ({ has, blocked, state }) => has?.version === "1" && blocked.length === 1 && state === "running",
      );
      expect(back).toMatchObject({ offered: { version: "2" }, last_known_good: "1", on_trial: false });
      const { starts } = back;
      // Some rounds later it is still the same process.
      await host.rounds(3);
      expect(host.report()).toMatchObject({ pid: back.pid, starts });
      await host.stop();
      expect(host.said).toContain("went back from 2 to 1");
      expect(host.processes()).toEqual([]);
      const audit = readFileSync(join(host.root, "audit.jsonl"), "utf8");
      expect(audit.match(/"event":"rolled_back"/gu)).toHaveLength(1);
    },
  );

  test.skipIf(!FULL)("case 80: one whose memory grows until the kernel kills it", async () => {
    using group = memoryGroup(48 * 1_048_576);
    // Not every machine lets us make one.
    if (group === null) return;
    using host = await running();
    const grows = `#!/usr/bin/env python3
import time
open("${group.door}", "w").write("0")
time.sleep(0.1)
held = []
while True: held.append(bytearray(4_194_304))
`;
    host.assign(await host.bundle("2", grows, { health: { ...PROCESS.health, window_ms: 60_000 } }));
    await host.until(
      ({ has, blocked, state }) => has?.version === "1" && blocked.length === 1 && state === "running",
    );
    expect(group.kills()).toBeGreaterThanOrEqual(3);
    await host.stop();
    expect(host.said).toContain("it ended by SIGKILL");
  });

  test.skipIf(!FULL)(
    "case 81: what it goes back to fails as well, and then nothing goes back and forth",
    async () => {
      const breaks = counting('[ -e broken ] && exit 1\ntrap "exit 0" TERM\nwhile :; do sleep 0.05; done');
      using host = await running(PROCESS, breaks);
      host.assign(
        await host.bundle("2", '#!/bin/sh\n: >"$WAYBILL_ADDON_STATE_DIR/broken"\nexit 1\n', PROCESS),
      );
      await host.until(
        ({ has, state, blocked }) => has?.version === "1" && blocked.length === 1 && state === "restarting",
      );
      await host.until(({ starts }) => starts >= 6);
      expect(host.report()).toMatchObject({ has: { version: "1" }, last_known_good: "1" });
      const audit = readFileSync(join(host.root, "audit.jsonl"), "utf8");
      expect(audit.match(/"event":"rolled_back"/gu)).toHaveLength(1);
      rmSync(host.state("broken"));
      await host.until(({ state }) => state === "running");
      await host.stop();
    },
  );

  test("case 82: it is not taken again before its bytes are others, and other bytes are taken at once", async () => {
    using host = await running();
    host.assign(await host.bundle("2", "#!/bin/sh\nexit 3\n", PROCESS));
    const back = await host.until(({ blocked, state }) => blocked.length === 1 && state === "running");
    await host.rounds(4);
    expect(host.report()).toMatchObject({ pid: back.pid, starts: back.starts, has: { version: "1" } });
    host.assign(await host.bundle("2.1", STAYS, PROCESS));
    await host.until(({ has, last_known_good: good }) => has?.version === "2.1" && good === "2.1");
    expect(host.report()?.blocked).toEqual(back.blocked);
    await host.stop();
  });

  test.skipIf(!FULL)(
    "case 82: an operator clears it, and taken again by hand it stays for people to look at",
    async () => {
      using host = await running();
      host.assign(await host.bundle("2", "#!/bin/sh\nexit 3\n", PROCESS));
      await host.until(({ has, blocked }) => has?.version === "1" && blocked.length === 1);
      expect((await host.addon("unpin", ["sensor"])).exit).toBe(0);
      await host.until(({ has, starts }) => has?.version === "2" && starts >= 8);
      expect(host.report()).toMatchObject({ has: { version: "2" }, last_known_good: "1" });
      await host.stop();
      expect(host.said).toContain("went back from this version before");
    },
    30_000,
  );

  test("case 62: a list that flaps ends no program again and again", async () => {
    using host = new AgentHost();
    // Names without an order, so that neither is a step back.
    const [red, blue] = [host.program("sensor", "red", STAYS), host.program("sensor", "blue", `${STAYS}#\n`)];
    host.start();
    for (const [version, entry] of [
      ["red", red],
      ["blue", blue],
      ["red", red],
      ["blue", blue],
    ] as const) {
      host.assign(entry);
      await host.until(({ has, state }) => has?.version === version && state === "running");
    }
    const { pid, starts } = host.report() ?? {};
    host.assign(red);
    await host.until(({ offered }) => offered?.version === "red");
    host.assign(blue);
    await host.until(({ offered }) => offered?.version === "blue");
    host.assign(red);
    await host.until(({ offered }) => offered?.version === "red");
    expect(host.report()).toMatchObject({ has: { version: "blue" }, pid, starts });
    // What is new is no flapping.
    host.assign(host.program("sensor", "green", `${STAYS}##\n`));
    await host.until(({ has, state }) => has?.version === "green" && state === "running");
    await host.stop();
    expect(host.said).toContain("was asked to go back and forth");
  });

  const neither: [string, number][] = [
    ["cannot tell, for now", 75],
    ["is degraded", 3],
  ];
  test.each(FULL ? neither : neither.slice(0, 1))(
    "case 89: a probe that %s neither commits nor goes back",
    async (_name, code) => {
      using host = await running();
      const program = `#!/bin/sh\nif [ "$1" = --health ]; then : >"$WAYBILL_ADDON_STATE_DIR/asked-$(date +%s%N)"; exit ${code}; fi\n${STAYS}`;
      host.assign(await host.bundle("2", program, { health: { ...EXEC.health, ready_ms: 60_000 } }));
      await host.until(({ has, pid }) => has?.version === "2" && pid !== null);
      // Longer than the window.
      await host.rounds(FULL ? 7 : 4);
      expect(host.report()).toMatchObject({
        has: { version: "2" },
        last_known_good: "1",
        on_trial: true,
        blocked: [],
      });
      await host.stop();
    },
  );

  /** Well as long as there is a file `there`, which is not the program's to make. */
  const asksTheHost = (more = ""): string =>
    counting(
      `[ "$1" = --health ] && { [ -e there ]; exit $?; }\n${more}trap "exit 0" TERM\nwhile :; do sleep 0.05; done`,
    ).replace("[ -e pid ]", '[ "$1" != --health ] && [ -e pid ]');
  const RARE = { health: { ...EXEC.health, ready_ms: 500, window_ms: 1_500 } };

  async function wellOnTheHost(): Promise<AgentHost> {
    const host = new AgentHost();
    mkdirSync(host.state(), { recursive: true, mode: 0o700 });
    writeFileSync(host.state("there"), "");
    host.assign(await host.bundle("1", asksTheHost(), RARE));
    host.start();
    await host.until(({ last_known_good: good, state }) => good === "1" && state === "running");
    return host;
  }

  test.skipIf(!FULL)(
    "case 89: a probe that the one before failed up to the change is no reason to go back",
    async () => {
      using host = await wellOnTheHost();
      rmSync(host.state("there"));
      await host.until(({ last_error: error }) => error !== null);
      host.assign(await host.bundle("2", asksTheHost(), RARE));
      const tried = await host.until(
        ({ has, starts, state }) => has?.version === "2" && starts >= 4 && state === "degraded",
      );
      expect(tried).toMatchObject({ last_known_good: "1", on_trial: true, blocked: [] });
      expect(tried.last_error).toContain("the other version fails the same probe here");
      writeFileSync(host.state("there"), "");
      await host.until(({ last_known_good: good, state }) => good === "2" && state === "running");
      await host.stop();
      expect(host.said).toContain("what ran before failed the same probe");
    },
  );

  test("case 89: a probe that fails for what it went back to as well: the version is taken again", async () => {
    using host = await wellOnTheHost();
    // What it asks for goes away while the new one starts.
    host.assign(await host.bundle("2", asksTheHost("[ -e gone ] || rm -f there\n: >gone\n"), RARE));
    const tried = await host.until(
      ({ has, starts, state }) => has?.version === "2" && starts >= 4 && state === "degraded",
    );
    expect(tried).toMatchObject({ last_known_good: "1", blocked: [] });
    writeFileSync(host.state("there"), "");
    await host.until(({ last_known_good: good, state }) => good === "2" && state === "running");
    await host.stop();
    const audit = readFileSync(join(host.root, "audit.jsonl"), "utf8");
    expect(audit.match(/"event":"rolled_back"/gu)).toHaveLength(1);
    expect(audit.match(/"event":"unblocked"/gu)).toHaveLength(1);
  });

  test("case 80: one that fails a probe which the one before was never asked goes back", async () => {
    using host = await running();
    host.assign(
      await host.bundle("2", STAYS, {
        health: { ...QUICK, ready_ms: 300, probe: { kind: "unix", path: "none.sock" } },
      }),
    );
    await host.until(
      ({ has, blocked, state }) => has?.version === "1" && blocked.length === 1 && state === "running",
    );
    await host.stop();
  });

  test.skipIf(!FULL)(
    "what ran before was not well either: the new one is not to blame",
    async () => {
      using host = await running(
        PROCESS,
        counting(
          '[ -e broken ] && exit 1\ntrap "exit 0" TERM\nwhile :; do [ -e broken ] && exit 1; sleep 0.05; done',
        ),
      );
      writeFileSync(host.state("broken"), "");
      await host.until(({ state }) => state === "restarting");
      host.assign(await host.bundle("2", "#!/bin/sh\nexit 3\n", PROCESS));
      await host.until(({ has, starts }) => has?.version === "2" && starts >= 5);
      expect(host.report()).toMatchObject({ has: { version: "2" }, blocked: [] });
      await host.stop();
      expect(host.said).toContain("what ran before was not well either");
    },
    30_000,
  );
});
