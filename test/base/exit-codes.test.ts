import { describe, expect, test } from "bun:test";
import {
  EXIT,
  EXIT_MEANING,
  exitCodeOf,
  FAILURES,
  failureCodes,
  isFailureCode,
} from "../../src/base/exit-codes.ts";

/** What scripts rely on: a number here may never get another meaning. */
const PUBLISHED: Readonly<Record<string, number>> = {
  ok: 0,
  internal: 1,
  usage: 2,
  partial: 3,
  auth: 4,
  policy: 5,
  untrusted: 6,
  missing: 7,
  mismatch: 8,
  rejected: 9,
  protocol: 10,
  conflict: 11,
  transport: 12,
  server: 13,
  unknown: 14,
  changes: 20,
  interrupted: 130,
  terminated: 143,
};

const codes = failureCodes();

test("the published numbers", () => {
  expect(EXIT).toEqual(PUBLISHED as typeof EXIT);
});

describe("every exit code", () => {
  test.each(Object.entries(EXIT))("%s (%d)", (name, code) => {
    const meaning = Object.entries(EXIT_MEANING).find(([key]) => key === name)?.[1] ?? "";
    expect(meaning).toMatch(/^[a-z].*[^.]$/u);
    // 126 and 127 are the shell's own, 128 + n is a signal's: only those two that we stand for.
    const isSignal = name === "interrupted" || name === "terminated";
    expect(isSignal ? code > 128 && code < 160 : code < 126).toBe(true);
  });

  test("is one number and one meaning", () => {
    expect(new Set(Object.values(EXIT)).size).toBe(Object.keys(EXIT).length);
    expect(new Set(Object.values(EXIT_MEANING)).size).toBe(Object.keys(EXIT).length);
    expect(Object.keys(EXIT_MEANING)).toEqual(Object.keys(EXIT));
  });
});

describe("every failure code", () => {
  test.each(codes)("%s ends with a documented exit code other than 0", (code) => {
    expect(code).toMatch(/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/u);
    expect(Object.values<number>(PUBLISHED)).toContain(exitCodeOf(code));
    expect(exitCodeOf(code)).not.toBe(EXIT.ok);
  });

  test("stands in the table once, and no other word does", () => {
    expect(new Set(codes).size).toBe(codes.length);
    expect(new Set(FAILURES.map(([ending]) => ending)).size).toBe(FAILURES.length);
    expect(codes.every(isFailureCode)).toBe(true);
    expect(["", "usage", "internal_error_", "toString"].some(isFailureCode)).toBe(false);
  });

  test("can be reached: every way to fail but `partial` and `changes` has one", () => {
    const reached = new Set<string>(FAILURES.map(([ending]) => ending));
    const without = Object.keys(EXIT).filter((name) => !reached.has(name));
    expect(without).toEqual(["ok", "partial", "changes"]);
  });
});
