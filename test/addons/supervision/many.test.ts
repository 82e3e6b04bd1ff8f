import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Entry } from "../host.ts";
import { AgentHost, STAYS } from "./agent-process.ts";

const COUNT = (process.env["WAYBILL_FULL"] ?? "") === "" ? 16 : 50;
const HIGHEST_KB = 256 * 1024;

test(`case 92: ${COUNT} add-ons at once, two of whose artifacts never come, run in little memory`, async () => {
  using host = new AgentHost();
  const names = Array.from({ length: COUNT }, (_, index) => `sensor${index}`);
  const entries: Entry[] = names.map((name) => host.program(name, "1", `${STAYS}# ${name}\n`));
  const files = new Map(
    entries.map((entry) => [
      `/${String(entry["artifact_object_key"])}`,
      String(entry["artifact_object_key"]),
    ]),
  );
  const never = new Set(
    [entries[0], entries[7]].map((entry) => `/${String(entry?.["artifact_object_key"])}`),
  );
  const others = Promise.withResolvers<void>();
  let atOnce = 0;
  let most = 0;
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      most = Math.max(most, ++atOnce);
      try {
        if (never.has(pathname)) {
          await others.promise;
          return new Response("", { status: 404 });
        }
        const bytes = await Bun.file(`${host.store}/${files.get(pathname)}`).bytes();
        return new Response(bytes);
      } finally {
        atOnce--;
      }
    },
  });
  host.assign(...entries);
  const store = `http://127.0.0.1:${server.port}`;
  host.start("--store", store, "--allow-insecure-http", "--interval", "60s");
  for (const name of names) {
    if (name === "sensor0" || name === "sensor7") continue;
    await host.until(({ state }) => state === "running", name);
  }
  // Nobody has waited for the two.
  expect(host.report("sensor0")).toBeUndefined();
  others.resolve();
  for (const name of ["sensor0", "sensor7"]) {
    const { last_error: error, has } = await host.until(({ state }) => state === "skipped", name);
    expect({ has, error }).toMatchObject({ has: null, error: expect.stringContaining("127.0.0.1") });
  }
  expect(most).toBeLessThanOrEqual(4);
  const status = readFileSync(`/proc/${host.agentPid}/status`, "utf8");
  expect(Number(/VmHWM:\s+(\d+)/u.exec(status)?.[1])).toBeLessThan(HIGHEST_KB);
  expect(await host.stop()).toBe(0);
  expect(host.processes()).toEqual([]);
});
