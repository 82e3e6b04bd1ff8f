import { describe, expect, test } from "bun:test";
import { parseInstant } from "../../src/cli/instants.ts";

describe("taken", () => {
  test.each([
    ["2026-11-21", "2026-11-21T00:00:00.000Z"],
    ["2026-11-21T08:00Z", "2026-11-21T08:00:00.000Z"],
    ["2026-11-21T08:00:01Z", "2026-11-21T08:00:01.000Z"],
    ["2026-12-05T09:38:11.077Z", "2026-12-05T09:38:11.077Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ])("%s", (text, instant) => {
    expect(parseInstant(text, "--at").toISOString()).toBe(instant);
  });
});

describe("refused", () => {
  test.each([
    "",
    "now",
    "2026-02-30",
    "2026-11-21T25:00Z",
    "2026-11-21T08:00:00",
    "2026-11-21T08:00:00+01:00",
    "2026-11-21T08:00.5Z",
    "2026-11-21T08:00:00.Z",
    "2026-11-21 08:00:00Z",
    "2026-11-21T08:00:00Z ",
    "20261121",
  ])("%j", (text) => {
    expect(() => parseInstant(text, "--at")).toThrow(
      "wanted an instant such as 2026-11-21T08:00:00Z, or a day",
    );
  });
});
