import { describe, expect, test } from "bun:test";
import { retryAfterMs } from "../../src/base/retry-after.ts";

const NOON = Date.UTC(2026, 0, 31, 12);
const at = (seconds: number): string => new Date(NOON + seconds * 1_000).toUTCString();

describe("what an answer asks to wait", () => {
  const rows: [string, Record<string, string>, number | null][] = [
    ["nothing", {}, null],
    ["seconds", { "retry-after": "7" }, 7_000],
    ["seconds with space around them", { "retry-after": " 5 " }, 5_000],
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
