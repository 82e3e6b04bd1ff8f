import { describe, expect, test } from "bun:test";
import { nextDelay, retryAfterMs } from "../../src/pins/retry-after.ts";

const NOON = Date.UTC(2026, 0, 31, 12);
const at = (seconds: number): string => new Date(NOON + seconds * 1_000).toUTCString();

describe("what an answer asks to wait", () => {
  const rows: [string, Record<string, string>, number | null][] = [
    ["nothing", {}, null],
    ["seconds", { "retry-after": "7" }, 7_000],
    ["no seconds", { "retry-after": "0" }, 0],
    ["the most seconds that are read", { "retry-after": "999999999" }, 999_999_999_000],
    ["more digits", { "retry-after": "9999999999" }, null],
    ["a fraction", { "retry-after": "1.5" }, null],
    ["less than nothing", { "retry-after": "-1" }, null],
    ["words before a number", { "retry-after": "in 5" }, null],
    ["words after a number", { "retry-after": "5 s" }, null],
    ["a date, from now", { "retry-after": at(30) }, 30_000],
    ["a date, from the answer's own", { "retry-after": at(90), date: at(60) }, 30_000],
    ["a date, from now when the answer's own is none", { "retry-after": at(30), date: "noon" }, 30_000],
    ["a date that is over", { "retry-after": at(-30) }, 0],
    ["a date that there is not", { "retry-after": "Sat, 99 Foo 2026 12:00:00 GMT" }, null],
    ["a date with more before it", { "retry-after": `x${at(30)}` }, null],
    ["a date with more after it", { "retry-after": `${at(30)}+01:00` }, null],
    ["a date of another form", { "retry-after": "2026-01-31T12:00:30Z" }, null],
  ];
  test.each(rows)("%s", (_what, headers, wanted) => {
    expect(retryAfterMs(new Headers(headers), NOON)).toBe(wanted);
  });
});

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
