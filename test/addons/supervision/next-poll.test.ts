import { expect, test } from "bun:test";
import { nextPollMs } from "../../../src/addons/supervision/next-poll.ts";

test.each([
  [60_000, null, 0, 54_000],
  [60_000, null, 1, 66_000],
  [0, null, 0.5, 0],
  [60_000, "120", 0, 120_000],
  [60_000, " 120 ", 0, 120_000],
  [60_000, "120", 1, 132_000],
  [60_000, "1", 0.5, 60_000],
  [60_000, "Thu, 01 Jan 1970 00:03:20 GMT", 0, 199_000],
  [60_000, "Thu, 01 Jan 1970 00:00:00 GMT", 0.5, 60_000],
  [60_000, "999999999", 0, 3_600_000],
  [60_000, "soon", 0.5, 60_000],
  [60_000, "120 seconds", 0.5, 60_000],
  [60_000, "some 120", 0.5, 60_000],
  [0, "soon", 0.5, 0],
])(
  "with an interval of %p and Retry-After %p at %p the next question comes after %p ms",
  (interval, after, random, ms) => {
    expect(nextPollMs(interval, after, 1_000, random)).toBe(ms);
  },
);
