import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { AgentHost, counting } from "./agent-process.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "";
/** Rounds and probes come some hundred times as often as they would: more than an hour of a host in two minutes. */
const SOAK_MS = 120_000;
const MOST_MS = 600_000;
const ROUNDS_OF_AN_HOUR = 60;
const PROBES_OF_AN_HOUR = 720;
const MANIFEST = {
  health: {
    interval_ms: 50,
    timeout_ms: 1_000,
    ready_ms: 5_000,
    window_ms: 200,
    stop_ms: 300,
    probe: { kind: "exec", args: ["--health"] },
  },
};
const DIES = counting(
  'if [ "$1" = --health ]; then printf x >>asked; exit 0; fi\n(sleep 1000) &\nhead -c 200000 /dev/zero | tr "\\0" x\nsleep 20\nexit 1',
);

function memoryKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function endedChildren(parent: number): number {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/u.test(name)) return false;
    try {
      const [state, of] = (readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1] ?? "").split(" ");
      return state === "Z" && of === String(parent);
    } catch {
      return false;
    }
  }).length;
}

test.skipIf(!FULL)(
  "an agent whose program dies again and again keeps its memory, its descriptors and no zombie",
  async () => {
    using host = new AgentHost();
    const entry = await host.bundle("1", DIES, MANIFEST);
    const asked = { whole: 0, same: 0, reports: 0 };
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        if (request.method === "PUT") {
          await request.text();
          asked.reports++;
          return Response.json({});
        }
        const isSame = request.headers.get("if-none-match") === '"one"';
        asked[isSame ? "same" : "whole"]++;
        return isSame
          ? new Response(null, { status: 304 })
          : Response.json({ addons: [entry] }, { headers: { etag: '"one"' } });
      },
    });
    const origin = `http://127.0.0.1:${server.port}`;
    const flags = ["--assignments", `${origin}/list`, "--report", origin, "--allow-insecure-http"];
    host.start("--interval", "100ms", ...flags);
    await host.until(({ state }) => state === "running");
    const probes = (): number => readFileSync(host.state("asked"), "utf8").length;
    const begun = Date.now();
    const samples: number[] = [];
    let descriptors = 0;
    // On a machine that is busy an hour's worth of it takes longer.
    const isHour = (): boolean =>
      Math.min(asked.same, asked.reports) > ROUNDS_OF_AN_HOUR && probes() > PROBES_OF_AN_HOUR;
    while (Date.now() - begun < SOAK_MS || (!isHour() && Date.now() - begun < MOST_MS)) {
      await Bun.sleep(2_000);
      samples.push(memoryKb(host.agentPid));
      descriptors = Math.max(descriptors, readdirSync(`/proc/${host.agentPid}/fd`).length);
    }
    const third = Math.floor(samples.length / 3);
    const highest = (part: readonly number[]): number => Math.max(...part);
    // What is collected now and then goes up and down; what leaks only goes up.
    expect(highest(samples.slice(-third))).toBeLessThan(highest(samples.slice(0, 2 * third)) * 1.15);
    expect(descriptors).toBeLessThan(64);
    await Bun.sleep(500);
    expect(endedChildren(host.agentPid)).toBe(0);
    expect(host.report()?.starts).toBeGreaterThan(3);
    // Asked by its tag each time but the first, and told each time.
    expect(asked.whole).toBe(1);
    expect(Math.min(asked.same, asked.reports)).toBeGreaterThan(ROUNDS_OF_AN_HOUR);
    expect(probes()).toBeGreaterThan(PROBES_OF_AN_HOUR);
    await host.stop();
    expect(host.processes()).toEqual([]);
  },
  MOST_MS + 60_000,
);
