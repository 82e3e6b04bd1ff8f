import { expect, test } from "bun:test";
import { SYSTEM_CLOCK } from "../../src/host/clock.ts";

// The timers of the runtime take 31 bits of milliseconds, and fire at once for more.
test.each([2 ** 31 - 1, 2 ** 31, 365 * 86_400_000])("a wait of %d ms is not over at once", async (ms) => {
  const stop = new AbortController();
  const long = SYSTEM_CLOCK.sleep(ms, stop.signal).then(() => "long");
  const short = SYSTEM_CLOCK.sleep(20, stop.signal).then(() => "short");
  expect(await Promise.race([long, short])).toBe("short");
  stop.abort();
  expect(await long).toBe("long");
});

test("a stop ends a wait, and keeps one from beginning", async () => {
  const stop = new AbortController();
  const wait = SYSTEM_CLOCK.sleep(60_000, stop.signal);
  stop.abort();
  await wait;
  await SYSTEM_CLOCK.sleep(60_000, stop.signal);
});
