import { expect, setDefaultTimeout, test } from "bun:test";
import { quantile, simulateFleet, type FleetPlan, type FleetRecord } from "./fleet.ts";
import { withServer } from "./served.ts";

setDefaultTimeout(1_200_000);

const MEBIBYTE = 1_048_576;

async function observed(plan: FleetPlan): Promise<FleetRecord> {
  let record: FleetRecord | undefined;
  await withServer(async (server) => {
    const token = await server.token(["addons:read", "addons:write", "hosts:report"]);
    record = await simulateFleet(server, token, plan);
  });
  if (record === undefined) throw new Error("the fleet left no record");
  const { polls, reports, latencies, memory } = record;
  const [half, most] = [0.5, 0.99].map((part) => quantile(latencies, part).toFixed(1));
  const shown = [memory[0] ?? 0, ...memory.slice(-1)].map((bytes) => Math.round(bytes / MEBIBYTE));
  process.stderr.write(
    `${plan.hosts} hosts for ${plan.seconds} s: ${polls} polls, ${reports} reports, p50 ${half} ms, p99 ${most} ms, memory ${shown.join(" to ")} MiB\n`,
  );
  return record;
}

test("300 hosts for 4 seconds get every change, and nothing goes wrong", async () => {
  const plan = { hosts: 300, seconds: 4, everyMs: 1_000, changes: 2 };
  const { wrong, polls, reports, upToDate } = await observed(plan);
  expect([...wrong]).toEqual([]);
  // Each asks once at least while it lives, and once at the end; every sixth reports with the first.
  expect(polls).toBeGreaterThanOrEqual(plan.hosts * 2);
  expect(reports).toBeGreaterThanOrEqual(plan.hosts / 6);
  expect(upToDate).toBe(plan.hosts);
});

test.skipIf(process.env["WAYBILL_FULL"] === undefined)(
  "10,000 hosts for 10 minutes get every change in flat memory",
  async () => {
    // A shorter time is for whoever works on this test.
    const seconds = Number(process.env["WAYBILL_FLEET_SECONDS"] ?? 600);
    const plan = { hosts: 10_000, seconds, everyMs: 15_000, changes: 10 };
    const { wrong, memory, upToDate } = await observed(plan);
    expect([...wrong]).toEqual([]);
    expect(upToDate).toBe(plan.hosts);
    // The first fifth is for what is filled once: caches, the pages of the database, compiled code.
    const fifth = Math.floor(memory.length / 5);
    const [early, late] = [memory.slice(fifth, 2 * fifth), memory.slice(-fifth)];
    expect(quantile(late, 0.5)).toBeLessThan(quantile(early, 0.5) * 1.25 + 16 * MEBIBYTE);
  },
);
