import { expect, test } from "bun:test";
import { isBehindBuild, refuseClockBehindBuild } from "../../src/base/build-time.ts";
import { Failure } from "../../src/base/failure.ts";

const BUILT = new Date("2026-11-21T12:00:00Z");

test.each([
  ["an hour later", "2026-11-21T13:00:00Z", false],
  ["the very instant", "2026-11-21T12:00:00Z", false],
  ["as far back as honest clocks differ", "2026-11-21T11:55:00Z", false],
  ["one millisecond further", "2026-11-21T11:54:59.999Z", true],
  ["a machine without a clock of its own", "1970-01-01T00:00:00Z", true],
])("%s", (_what, now, behind) => {
  expect(isBehindBuild(new Date(now), BUILT)).toBe(behind);
});

test("a build that does not know its time refuses nothing", () => {
  expect(isBehindBuild(new Date(0), null)).toBe(false);
  expect(() => refuseClockBehindBuild(new Date(0), null)).not.toThrow();
});

test("the refusal names both times and what to do", () => {
  let failure: unknown;
  try {
    refuseClockBehindBuild(new Date(0), BUILT);
  } catch (error) {
    failure = error;
  }
  if (!(failure instanceof Failure)) throw new Error("nothing was refused");
  expect(failure).toMatchObject({ code: "clock_behind", exitCode: 2 });
  expect(failure.message).toContain("1970-01-01T00:00:00.000Z");
  expect(failure.message).toContain("2026-11-21T12:00:00.000Z");
  expect(failure.hint).toContain("set the clock");
});
