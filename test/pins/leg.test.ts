import { describe, expect, test } from "bun:test";
import { endingOf, EXIT, FAILURES, failureCodes, type ExitName } from "../../src/base/exit-codes.ts";
import { Failure } from "../../src/base/failure.ts";
import { exitOfLegs, failedLeg, plannedLeg, provenLeg, supersededLeg, type Leg } from "../../src/pins/leg.ts";
import { pinRow } from "./pin-row.ts";
import { OLD } from "./rows.ts";
import { target, WANTED } from "./run-legs.ts";

const facts = { target: target("https://cp.example.com"), wanted: WANTED, before: null, attempts: [] };
const proven = pinRow();

function leg(name: ExitName): Leg {
  if (name === "changes") return plannedLeg(facts);
  if (name === "ok") return provenLeg(facts, "landed", { row: proven, reads: 1 });
  const found = failureCodes().find((code) => endingOf(code) === name);
  if (found === undefined) throw new Error(name);
  return failedLeg(facts, "failed", new Failure(found, "why"));
}

describe("the exit code of a run", () => {
  const rows: [ExitName[], ExitName][] = [
    [["ok"], "ok"],
    [["ok", "ok", "ok"], "ok"],
    [[], "missing"],
    [["changes"], "changes"],
    [["ok", "changes"], "changes"],
    [["ok", "transport"], "partial"],
    [["changes", "transport"], "partial"],
    [["unknown", "ok"], "partial"],
    [["transport"], "transport"],
    [["terminated"], "terminated"],
    [["interrupted", "interrupted"], "interrupted"],
    [["auth", "auth"], "auth"],
    // The order in which mixed failures speak, pair by pair.
    [["terminated", "unknown"], "unknown"],
    [["transport", "terminated"], "terminated"],
    [["transport", "interrupted"], "interrupted"],
    [["untrusted", "unknown"], "unknown"],
    [["mismatch", "untrusted"], "untrusted"],
    [["policy", "mismatch"], "mismatch"],
    [["auth", "policy"], "policy"],
    [["rejected", "auth"], "auth"],
    [["protocol", "rejected"], "rejected"],
    [["conflict", "protocol"], "protocol"],
    [["server", "conflict"], "conflict"],
    [["transport", "server"], "server"],
    [["missing", "transport"], "transport"],
    [["missing", "transport", "server", "conflict", "protocol", "auth"], "auth"],
  ];
  test.each(rows)("%j is %s", (names, wanted) => {
    expect(exitOfLegs(names.map(leg))).toBe(EXIT[wanted]);
    expect(exitOfLegs(names.toReversed().map(leg))).toBe(EXIT[wanted]);
  });

  test("is 0 for no mixture with a failed leg in it", () => {
    for (const [name] of FAILURES) {
      expect(exitOfLegs([leg(name)])).toBe(EXIT[name]);
      expect(exitOfLegs([leg("ok"), leg(name)])).toBe(EXIT.partial);
    }
  });
});

describe("a proven leg", () => {
  test("cannot be made of another digest", () => {
    expect(() => provenLeg(facts, "matches", { row: { ...proven, digest: OLD }, reads: 1 })).toThrow(
      RangeError,
    );
  });

  test("cannot be made of no reads", () => {
    expect(() => provenLeg(facts, "matches", { row: proven, reads: 0 })).toThrow(RangeError);
  });
});

describe("a leg that gave way", () => {
  test.each([
    ["to an older build", 6],
    ["to the same build", 7],
    ["to a row that names no build", null],
  ])("cannot be one %s", (_what, seq) => {
    expect(() => supersededLeg(facts, 7, pinRow({ seq }), null)).toThrow(RangeError);
  });

  test("has the newer row as what was there", () => {
    const row = pinRow({ seq: 8 });
    const gave = { ...facts, before: row, outcome: "superseded", after: null, failure: null };
    expect(supersededLeg(facts, 7, row, null)).toStrictEqual({
      raceWindow: null,
      warnings: [],
      ...gave,
    } as Leg);
  });
});

test("a dry run that found something to write keeps what was found", () => {
  const planned = { ...facts, outcome: "would_change", after: null, failure: null };
  expect(plannedLeg(facts)).toStrictEqual({ raceWindow: null, warnings: [], ...planned } as Leg);
});
