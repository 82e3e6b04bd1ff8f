import { expect, test } from "bun:test";
import { isAlive, startTicks } from "../../src/host/process-table.ts";

test.skipIf(process.platform !== "linux")(
  "case 50: a number that another process has by now is not the one that was started",
  () => {
    const ticks = startTicks(process.pid) ?? "";
    expect(isAlive({ pid: process.pid, startTicks: ticks })).toBe(true);
    expect(isAlive({ pid: process.pid, startTicks: String(Number(ticks) - 1) })).toBe(false);
  },
);
