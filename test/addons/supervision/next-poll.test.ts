import { expect, test } from "bun:test";
import { nextPollMs } from "../../../src/addons/supervision/next-poll.ts";

test.each([
  [60_000, null, 0, 54_000],
  [60_000, null, 1, 66_000],
  [0, null, 0.5, 0],
  [60_000, 120_000, 0, 120_000],
  [60_000, 120_000, 1, 132_000],
  [60_000, 1_000, 0.5, 60_000],
  [60_000, 0, 0.5, 60_000],
  [60_000, 3_600_001, 0, 3_600_000],
  [60_000, 999_999_999_000, 1, 3_960_000],
])(
  "with an interval of %p, asked for %p at %p the next question comes after %p ms",
  (interval, asked, random, ms) => {
    expect(nextPollMs(interval, asked, random)).toBe(ms);
  },
);
