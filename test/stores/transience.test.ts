import { describe, expect, test } from "bun:test";
import { failureCodes } from "../../src/base/exit-codes.ts";
import { Failure } from "../../src/base/failure.ts";
import { isTransient, pauseBefore } from "../../src/stores/transience.ts";

describe("a pause", () => {
  test("doubles, is spread by chance and has a longest", () => {
    expect([1, 2, 3, 10].map((attempt) => pauseBefore(attempt, null, 0.5, 60_000))).toEqual([
      250, 500, 1_000, 8_000,
    ]);
    expect([0, 0.999].map((random) => pauseBefore(1, null, random, 60_000))).toEqual([125, 375]);
  });
  test("is never shorter than the server asks, and none when it asks too much", () => {
    expect(pauseBefore(1, 2_000, 0, 60_000)).toBe(2_000);
    expect(pauseBefore(1, 2_000, 0.999, 60_000)).toBe(2_250);
    expect(pauseBefore(1, 60_001, 0, 60_000)).toBeNull();
    expect(pauseBefore(1, null, 0.5, 0)).toBeNull();
  });
});

test("what may pass by itself", () => {
  const codes = failureCodes();
  const transient = codes.filter((code) => isTransient(new Failure(code, "x")));
  for (const code of [
    "unauthorized",
    "server_failed",
    "rate_limited",
    "connection_lost",
    "tls_failed",
  ] as const) {
    expect(transient).toContain(code);
  }
  for (const code of [
    "forbidden",
    "not_found",
    "request_rejected",
    "hash_mismatch",
    "redirect_refused",
    "artifact_too_large",
  ] as const) {
    expect(transient).not.toContain(code);
  }
});
