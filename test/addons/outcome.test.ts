import { expect, test } from "bun:test";
import { exitOf, type AddonResult, type Outcome } from "../../src/addons/staging/outcome.ts";
import type { FailureCode } from "../../src/base/exit-codes.ts";
import { Failure } from "../../src/base/failure.ts";

function result([outcome, code]: [Outcome, FailureCode?]): AddonResult {
  return {
    addonId: "x",
    version: "1",
    wantedVersion: "1",
    outcome,
    action: "none",
    binaryPath: null,
    sha256: null,
    keyid: null,
    keyids: [],
    failure: code === undefined ? null : new Failure(code, "x"),
  };
}

const cases: [string, [Outcome, FailureCode?][], number][] = [
  ["nothing assigned", [], 0],
  ["all well", [["staged"], ["unchanged"], ["disabled"], ["acknowledged"], ["skipped"]], 0],
  ["one, failed", [["skipped", "hash_mismatch"]], 6],
  ["one, kept", [["kept_last_known_good", "hash_mismatch"]], 3],
  [
    "all failed alike",
    [
      ["skipped", "unsigned"],
      ["skipped", "version_conflict"],
    ],
    5,
  ],
  [
    "all failed in different ways",
    [
      ["skipped", "unsigned"],
      ["skipped", "hash_mismatch"],
    ],
    3,
  ],
  [
    "one kept, another failed alike",
    [
      ["kept_last_known_good", "hash_mismatch"],
      ["skipped", "hash_mismatch"],
    ],
    3,
  ],
  ["some failed", [["staged"], ["skipped", "hash_mismatch"]], 3],
  ["the only enabled one failed", [["disabled"], ["skipped", "not_found"]], 7],
];
test.each(cases)("%s", (_name, results, exit) => {
  expect<number>(exitOf(results.map(result))).toBe(exit);
});
