import { describe, expect, test } from "bun:test";
import { nextDelay } from "../../src/pins/next-delay.ts";

describe("the next request", () => {
  const rows: [string, number | null, number, number, number | null][] = [
    ["comes after our own interval", null, 5_000, 20_000, 5_000],
    ["still comes when just the interval is left", null, 5_000, 5_000, 5_000],
    ["does not come when less is left", null, 5_000, 4_999, null],
    ["comes after the interval when the server asks for no wait", 0, 5_000, 20_000, 5_000],
    ["does not come when the server asks for no wait and too little is left", 0, 5_000, 4_999, null],
    ["comes when the server asks", 9_000, 5_000, 20_000, 9_000],
    ["comes when the server asks, also sooner", 1, 5_000, 20_000, 1],
    ["comes at the end of the budget for one last try", 9_000, 5_000, 3_000, 3_000],
    ["comes one last time when hardly anything is left", 9_000, 5_000, 1, 1],
    ["does not come when the budget is over", 9_000, 5_000, 0, null],
    ["does not come after the budget", null, 0, -1, null],
  ];
  test.each(rows)("%s", (_what, asked, interval, left, wanted) => {
    expect(nextDelay(asked, interval, left)).toBe(wanted);
  });
});
