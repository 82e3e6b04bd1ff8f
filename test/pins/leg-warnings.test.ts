import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/base/failure.ts";
import { failedLeg, provenLeg, supersededLeg, type Leg } from "../../src/pins/leg.ts";
import { judgeLeg } from "../../src/pins/leg-warnings.ts";
import type { PinRow } from "../../src/pins/pin.ts";
import { pinRow } from "./pin-row.ts";
import { FOREIGN, OLD } from "./rows.ts";
import { target, WANTED } from "./run-legs.ts";

const SHA = "0123abcdef";
const facts = { target: target("https://cp.example.com"), wanted: WANTED, before: null, attempts: [] };
const FAILED = failedLeg(facts, "failed", new Failure("server_failed", "x"));

function proven(row: Partial<PinRow>): Leg {
  return provenLeg(facts, "landed", { row: pinRow(row), reads: 1 });
}

function codesOf(leg: Leg, gitSha?: string): string[] {
  return judgeLeg(leg, { gitSha, mustMatch: false }).warnings.map(({ code }) => code);
}

describe("a row's commit", () => {
  const rows: [string, string | null, string | undefined, string | null][] = [
    ["the wanted one", SHA, SHA, null],
    ["the wanted one, shortened", SHA.slice(0, 7), SHA, null],
    ["any, when none is wanted", SHA, undefined, null],
    ["none, when none is wanted", null, undefined, null],
    ["another one", "fedcba9", SHA, `the row of codex was built from fedcba9; wanted ${SHA}`],
    ["none", null, SHA, `the row of codex names no commit; wanted ${SHA}`],
  ];
  test.each(rows)("that is %s", (_what, found, gitSha, warning) => {
    const leg = proven({ gitSha: found });
    const warned = judgeLeg(leg, { gitSha, mustMatch: false });
    const warnings = warning === null ? [] : [{ code: "git_sha_differs", message: warning }];
    expect(warned).toStrictEqual({ ...leg, warnings });
    const held = judgeLeg(leg, { gitSha, mustMatch: true });
    if (warning === null) expect(held).toStrictEqual(leg);
    else {
      expect(held).toMatchObject({ outcome: "mismatch", after: null, before: leg.after?.row, warnings: [] });
      expect([held.failure?.code, held.failure?.message]).toEqual(["git_sha_differs", warning]);
    }
  });

  test("is nothing to a leg that proved none", () => {
    expect(judgeLeg(FAILED, { gitSha: SHA, mustMatch: true })).toStrictEqual(FAILED);
  });
});

describe("what a row says beside its digest", () => {
  test("that it is active, or nothing, is no warning", () => {
    expect(codesOf(proven({ state: "active" }))).toEqual([]);
    expect(codesOf(proven({ state: null }))).toEqual([]);
  });

  test("is warned of in the words of the server, made inert", () => {
    expect(
      judgeLeg(proven({ state: "he\u001bld" }), { gitSha: undefined, mustMatch: false }).warnings,
    ).toEqual([{ code: "row_state", message: 'the row of codex is in state "he ld"' }]);
  });

  test("about regions with a pin of their own", () => {
    const shadows = [{ region: "eu", digest: FOREIGN }];
    expect(
      judgeLeg(proven({ state: "held", shadows }), { gitSha: undefined, mustMatch: false }).warnings,
    ).toEqual([
      { code: "row_state", message: 'the row of codex is in state "held"' },
      {
        code: "region_shadow",
        message: `codex has a pin of its own in eu, at ${FOREIGN}: the global one does not hold there`,
      },
    ]);
  });

  test("about no more regions than anybody reads", () => {
    const shadows = Array.from({ length: 30 }, (_, at) => ({ region: `r${at}`, digest: FOREIGN }));
    const { warnings } = judgeLeg(proven({ shadows }), { gitSha: undefined, mustMatch: false });
    expect(warnings.map(({ code }) => code)).toEqual(Array(21).fill("region_shadow"));
    expect(warnings.at(-2)?.message).toContain("of its own in r19,");
    expect(warnings.at(-1)?.message).toBe("codex has pins of its own in 10 more regions");
    const counted = (count: number): number =>
      judgeLeg(proven({ shadows: shadows.slice(0, count) }), { gitSha: undefined, mustMatch: false }).warnings
        .length;
    expect([20, 21].map(counted)).toEqual([20, 21]);
  });

  test("is told of the row before, where no other was read", () => {
    expect(codesOf({ ...FAILED, before: pinRow({ state: "held" }) })).toEqual(["row_state"]);
    const after = { row: pinRow(), reads: 1 };
    expect(codesOf({ ...FAILED, before: pinRow({ state: "held" }), after })).toEqual([]);
  });

  test("stands before what is said of its commit", () => {
    expect(codesOf(proven({ state: "held" }), SHA)).toEqual(["row_state", "git_sha_differs"]);
  });
});

describe("a leg that gave way to a newer build", () => {
  const newer = pinRow({ digest: OLD, seq: 8 });

  test("says so, unless that is its failure", () => {
    expect(
      judgeLeg(supersededLeg(facts, 7, newer, null), { gitSha: undefined, mustMatch: false }).warnings,
    ).toEqual([
      { code: "superseded", message: "codex is pinned by a newer build (8); this one wrote nothing" },
    ]);
    expect(codesOf(supersededLeg(facts, 7, newer, new Failure("policy_denied", "x")))).toEqual([]);
    expect(codesOf({ ...FAILED, outcome: "missing", failure: null })).toEqual([]);
  });
});
