import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY } from "../../support/binary.ts";
import { pointsOf } from "../../support/points.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { AgentHost, counting, QUICK, STAYS } from "./agent-process.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
const MANIFEST = { health: QUICK };

const MOMENTS = pointsOf("SIGKILL of the agent at moments of an upgrade");

async function running(): Promise<AgentHost> {
  const host = new AgentHost();
  host.assign(await host.bundle("1", STAYS, MANIFEST));
  host.start();
  await host.until(({ last_known_good: good, state }) => good === "1" && state === "running");
  return host;
}

describe("an agent that is killed", () => {
  test("case 87: leaves its programs running, and the next one takes them over and starts none twice", async () => {
    using host = await running();
    const pid = host.report()?.pid;
    await host.stop("SIGKILL");
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    host.start();
    await host.until(({ state, starts }) => state === "running" && starts === 0);
    expect(host.report()?.pid).toBe(pid ?? null);
    expect(readFileSync(host.state("starts"), "utf8")).toBe("1\n");
    expect(await host.stop()).toBe(0);
    expect(host.processes()).toEqual([]);
    expect(host.said).toContain("was running before; it is supervised again");
  });

  test("case 87: one that was taken over and ends is started again", async () => {
    using host = await running();
    const pid = host.report()?.pid ?? 0;
    await host.stop("SIGKILL");
    host.start();
    await host.until(({ starts, state }) => starts === 0 && state === "running");
    process.kill(pid, "SIGKILL");
    await host.until((report) => report.pid !== null && report.pid !== pid && report.state === "running");
    await host.stop();
  });

  test("case 87: one that ended meanwhile is started again, and what it left behind is ended", async () => {
    using host = new AgentHost();
    const forks = "(trap '' HUP TERM; while :; do sleep 0.05; done) &\n";
    const program = counting(`${forks}trap "exit 0" TERM\nwhile :; do sleep 0.05; done`);
    host.assign(await host.bundle("1", program, MANIFEST));
    host.start();
    const { pid } = await host.until(({ state }) => state === "running");
    await host.stop("SIGKILL");
    process.kill(pid ?? 0, "SIGKILL");
    const left = host.processes();
    host.start();
    const report = await host.until(({ state, starts }) => state === "running" && starts === 1);
    expect(left).not.toContain(report.pid);
    expect(host.processes().filter((one) => left.includes(one))).toEqual([]);
    expect(await host.stop()).toBe(0);
    expect(host.processes()).toEqual([]);
  });

  test("one that runs is watched again once what is beside it was made whole", async () => {
    using host = new AgentHost();
    const entry = await host.bundle("1", STAYS, MANIFEST);
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => Response.json({ addons: [entry] }),
    });
    const list = ["--assignments", `http://127.0.0.1:${server.port}/list`, "--allow-insecure-http"];
    host.start(...list);
    const { pid } = await host.until(({ state }) => state === "running");
    await host.stop("SIGKILL");
    // What was assigned last is wanted before a round has repaired it.
    writeFileSync(host.path("sensor/versions/1/waybill.manifest"), "damaged");
    host.start(...list);
    await host.until(({ state, starts }) => state === "running" && starts === 0);
    expect(host.report()?.pid).toBe(pid);
    await host.stop();
    await server.stop(true);
  });

  test("case 87: what is not assigned any more when the next one comes is ended by it", async () => {
    using host = await running();
    await host.stop("SIGKILL");
    host.assign();
    host.start();
    for (let tries = 0; host.processes().length > 0; tries++) {
      expect(tries).toBeLessThan(400);
      await Bun.sleep(25);
    }
    await host.stop();
  });

  test.skipIf(BINARY === null)(
    "case 88: a binary that was replaced meanwhile takes over what the one before it started",
    async () => {
      using folder = temporaryFolder();
      const [at, next] = [join(folder.path, "waybill"), join(folder.path, "waybill.new")];
      copyFileSync(BINARY ?? "", at);
      using host = new AgentHost([at]);
      host.assign(await host.bundle("1", STAYS, MANIFEST));
      host.start();
      const { pid } = await host.until(
        ({ last_known_good: good, state }) => good === "1" && state === "running",
      );
      copyFileSync(BINARY ?? "", next);
      renameSync(next, at);
      // The one that runs goes on with what it has of itself, also with what it loads later.
      host.assign(await host.bundle("2", STAYS, MANIFEST));
      const second = await host.until(
        ({ last_known_good: good, state }) => good === "2" && state === "running",
      );
      expect(second.pid).not.toBe(pid);
      await host.stop("SIGKILL");
      host.start();
      await host.until(({ starts, state }) => starts === 0 && state === "running");
      expect(host.report()?.pid).toBe(second.pid);
      expect(existsSync(host.state("double"))).toBe(false);
      await host.stop();
    },
  );

  test.skipIf(!FULL)(
    "a version that takes the whole host down at each start goes back as well",
    async () => {
      using host = await running();
      await host.stop("SIGKILL");
      for (const pid of host.processes()) process.kill(pid, "SIGKILL");
      const takesDown =
        '#!/bin/sh\necho "$WAYBILL_ADDON_VERSION" >>"$WAYBILL_ADDON_STATE_DIR/starts"\nkill -KILL $PPID\nkill -KILL $$\n';
      host.assign(await host.bundle("2", takesDown, MANIFEST));
      let boots = 0;
      for (; host.report()?.blocked.length !== 1; boots++) {
        expect(boots).toBeLessThan(15);
        host.start();
        for (let tries = 0; !host.hasEnded && host.report()?.blocked.length !== 1; tries++) {
          expect(tries).toBeLessThan(800);
          await Bun.sleep(25);
        }
        if (host.hasEnded) await host.stop();
      }
      await host.until(({ state, blocked }) => state === "running" && blocked.length === 1);
      const starts = readFileSync(host.state("starts"), "utf8").trim().split("\n");
      // Each was counted before it was made.
      expect(starts.filter((version) => version === "2")).toHaveLength(10);
      await host.stop();
    },
    120_000,
  );

  test("case 87: at any moment of an upgrade: the next one finishes it, and there are never two", async () => {
    using host = await running();
    const entries = [await host.bundle("2", STAYS, MANIFEST), await host.bundle("3", STAYS, MANIFEST)];
    const moments = FULL ? 40 : 3;
    for (let moment = 0; moment < moments; moment++) {
      const entry = { ...entries[moment % 2], config_json: { moment }, version: `${moment + 2}.0` };
      host.assign(entry);
      // From before it is staged until after it is started.
      await Bun.sleep((moment * 1_000) / moments);
      await host.stop("SIGKILL");
      await MOMENTS.try(async () => {
        host.start();
        await host.until(
          (report) =>
            report.has?.version === entry.version &&
            report.state === "running" &&
            report.last_known_good === entry.version,
        );
        expect(existsSync(host.state("double"))).toBe(false);
        expect(host.report()?.blocked).toEqual([]);
      });
    }
    await host.stop();
    expect(host.processes()).toEqual([]);
  }, 300_000);
});
