import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { parseDuration } from "../../src/cli/durations.ts";

const TAKEN: [string, number][] = [
  ["1ms", 1],
  ["500ms", 500],
  ["10s", 10_000],
  ["1.5s", 1_500],
  ["0.001s", 1],
  ["3m", 180_000],
  ["2h", 7_200_000],
  ["90d", 7_776_000_000],
  ["3650d", 315_360_000_000],
  ["007s", 7_000],
];
test.each(TAKEN)("%s", (text, milliseconds) => {
  expect(parseDuration(text, "--for")).toBe(milliseconds);
});

describe("refused", () => {
  const REFUSED = [
    "",
    "10",
    "s",
    "-1s",
    "+1s",
    "1e3s",
    "1 s",
    " 1s",
    "1s ",
    "1S",
    "1sec",
    "1m30s",
    "0x10s",
    ".5s",
    "5.s",
    "1,5s",
    "NaNs",
    "Infinitys",
    "0s",
    "0ms",
    "0.0001s",
    "3651d",
    "9999999999ms",
    "١s",
    "1s\n",
    "1toString",
  ];
  test.each(REFUSED)("%j", (text) => {
    expect(() => parseDuration(text, "--for")).toThrow(
      expect.objectContaining({ code: "invalid_value", exitCode: 2 }),
    );
  });

  test("the message names the flag and what was found", () => {
    expect(() => parseDuration("10", "--for")).toThrow(
      new Failure("invalid_value", '--for is "10"; wanted a duration such as 10s, 500ms or 3m'),
    );
  });
});

test("zero is taken where it means something", () => {
  expect(parseDuration("0s", "--for", { least: 0 })).toBe(0);
  expect(() => parseDuration("500ms", "--for", { least: 1_000 })).toThrow(
    expect.objectContaining({ code: "invalid_value" }),
  );
});
