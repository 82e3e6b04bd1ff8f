import { describe, expect, test } from "bun:test";
import { isGitSha, isRegion, isSameCommit, isTemplate, satisfies } from "../../src/pins/pin.ts";
import { isEnvironmentName } from "../../src/pins/target.ts";
import { NEW, OLD } from "./rows.ts";
import { WANTED } from "./run-legs.ts";

const HEX40 = "0123456789abcdef0123456789abcdef01234567";

describe.each([
  [
    "template",
    isTemplate,
    ["codex", "claude-code", "google-adk", "a", "0", "a.b_c-d", "a".repeat(64)],
    [
      "",
      "A",
      "Codex",
      "-a",
      ".a",
      "_a",
      "a b",
      "a/b",
      "../a",
      "a\n",
      "a\u0000",
      "ä",
      'a"b',
      "a=b",
      "a".repeat(65),
    ],
  ],
  [
    "region",
    isRegion,
    ["global", "eu", "eu-west-1", "1", "a".repeat(32)],
    ["", "EU", "-eu", "eu_west", "eu.west", "eu west", "eu\n", "é", "a".repeat(33)],
  ],
  [
    "git commit",
    isGitSha,
    ["0123abc", HEX40, `${HEX40}${HEX40.slice(0, 24)}`],
    ["", "HEAD", "012345", "0123ABC", `${HEX40}-dirty`, "0123abg", "0123abc\n", " 0123abc", "a".repeat(65)],
  ],
  [
    "environment",
    isEnvironmentName,
    ["prod", "staging", "prod-eu-1", "1", "a".repeat(32)],
    ["", "Prod", "-prod", "prod_eu", "prod eu", "prod\n", "prod=x", "a".repeat(33)],
  ],
] as const)("a name of a %s", (_what, accepts, taken, refused) => {
  test.each([...taken])("%j is one", (text) => expect(accepts(text)).toBe(true));
  test.each([...refused])("%j is none", (text) => expect(accepts(text)).toBe(false));
});

test("a digest is what was wanted, or anything but what was not", () => {
  expect([satisfies(NEW, WANTED), satisfies(OLD, WANTED)]).toEqual([true, false]);
  const unwanted = { ...WANTED, unwanted: true } as const;
  expect([satisfies(NEW, unwanted), satisfies(OLD, unwanted)]).toEqual([false, true]);
});

describe("two spellings of a commit", () => {
  const rows: [string, string, boolean][] = [
    [HEX40, HEX40, true],
    [HEX40.slice(0, 7), HEX40, true],
    [HEX40, HEX40.slice(0, 7), true],
    [HEX40.slice(-7), HEX40, false],
    [HEX40, HEX40.slice(-7), false],
    ["0123abc", "0123abd", false],
    ["", HEX40, false],
    [HEX40, "", false],
    [HEX40.slice(0, 6), HEX40, false],
    [HEX40, HEX40.slice(0, 6), false],
    ["HEAD-of-main", "HEAD-of-main", false],
  ];
  test.each(rows)("%s and %s can be one: %p", (a, b, wanted) => {
    expect(isSameCommit(a, b)).toBe(wanted);
  });
});
