import { expect, test } from "bun:test";
import { instantOf } from "../../src/base/instant.ts";

test.each([
  ["2026-11-21T08:00:00Z", "2026-11-21T08:00:00.000Z"],
  ["2026-11-21T08:00:00.5Z", "2026-11-21T08:00:00.500Z"],
  ["2026-11-21T08:00:00.123456789Z", "2026-11-21T08:00:00.123Z"],
  ["2028-02-29T23:59:59Z", "2028-02-29T23:59:59.000Z"],
])("%s is an instant", (text, wanted) => {
  expect(instantOf(text)?.toISOString()).toBe(wanted);
});

test.each([
  ["a day that no month has", "2026-02-30T00:00:00Z"],
  ["a leap day of another year", "2026-02-29T00:00:00Z"],
  ["an hour too many", "2026-11-21T24:00:00Z"],
  ["no zone", "2026-11-21T08:00:00"],
  ["another zone", "2026-11-21T08:00:00+01:00"],
  ["small letters", "2026-11-21t08:00:00z"],
  ["a space", " 2026-11-21T08:00:00Z"],
  ["ten digits of a second", "2026-11-21T08:00:00.1234567890Z"],
  ["a number", 1_795_253_814],
  ["nothing", undefined],
])("%s is none", (_what, value) => {
  expect(instantOf(value)).toBeNull();
});
