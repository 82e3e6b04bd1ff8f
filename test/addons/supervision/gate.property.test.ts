import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { sha256Of } from "../../../src/base/hashing.ts";
import { goBack, NO_SPECS, type Spec, type Specs } from "../../../src/addons/on-host/spec.ts";
import { isSafeName } from "../../../src/addons/names.ts";
import {
  commitTrial,
  countStart,
  failsItsTrial,
  isOnTrial,
  NO_GATE,
  stepBack,
  withTrial,
  type Gate,
} from "../../../src/addons/supervision/gate.ts";

function spec(version: string): Spec {
  if (!isSafeName(version)) throw new Error(version);
  return {
    addon_id: "sensor",
    version,
    folder: version,
    binary_name: "sensor",
    artifact_sha256: sha256Of(version),
    supervision: "agent_sidecar",
    args: [],
    capabilities: [],
    os_capabilities: [],
  };
}

const [one, two] = [spec("1"), spec("2")];
const upgraded: Specs = { ...NO_SPECS, active: two, last_known_good: one };

describe("a step back", () => {
  test("goes to the last known good, and notes the pair", () => {
    expect(stepBack(upgraded, withTrial(NO_GATE, upgraded, true))).toEqual({
      kind: "back",
      to: one,
      gate: { trial: null, pairs: [{ from: two.artifact_sha256, to: one.artifact_sha256 }] },
    });
  });

  const pinned = { artifact_sha256: two.artifact_sha256, version: "2", reason: "" };
  test.each<[string, Specs, Gate, string]>([
    ["nothing is active", NO_SPECS, NO_GATE, "nothing_active"],
    ["it is the first version", { ...NO_SPECS, active: one }, NO_GATE, "is_known_good"],
    ["it is the known good one", { ...upgraded, active: one }, NO_GATE, "is_known_good"],
    [
      "only its arguments are new",
      { ...upgraded, active: { ...one, args: ["-x"] } },
      NO_GATE,
      "is_known_good",
    ],
    ["it is pinned", { ...upgraded, pinned }, NO_GATE, "pinned"],
    [
      "it was taken before",
      upgraded,
      { trial: null, pairs: [{ from: two.artifact_sha256, to: one.artifact_sha256 }] },
      "went_back_before",
    ],
    [
      "the one before was not well either",
      upgraded,
      withTrial(NO_GATE, upgraded, false),
      "was_unwell_before",
    ],
  ])("is not taken when %s", (_name, specs, gate, why) => {
    expect(stepBack(specs, gate)).toEqual({ kind: "stay", why } as ReturnType<typeof stepBack>);
  });
});

test.each([
  [2, 1, false],
  [3, 1, true],
  [0, 10, false],
  [0, 11, true],
])("with %p failures and %p starts a trial has failed: %p", (failures, starts, failed) => {
  const trial = { sha256: two.artifact_sha256, starts, failures, before_was_well: true };
  expect(failsItsTrial({ trial, pairs: [] })).toBe(failed);
  expect(failsItsTrial({ trial: null, pairs: [] })).toBe(false);
});

test("a trial lasts over starts, ends with its commit, and a new version has a new one", () => {
  const gate = countStart(countStart(withTrial(NO_GATE, upgraded, true)));
  expect(withTrial(gate, upgraded, false)).toBe(gate);
  expect(gate.trial?.starts).toBe(2);
  expect(isOnTrial(commitTrial(upgraded))).toBe(false);
  expect(withTrial(gate, commitTrial(upgraded), true).trial).toBeNull();
  expect(withTrial(gate, { ...upgraded, active: spec("3") }, true).trial).toMatchObject({ starts: 0 });
});

test("whatever fails and is offered again, the steps back come to an end: one for each pair", () => {
  const versions = ["1", "2", "3", "4"].map(spec);
  const event = fc.oneof(
    fc.record({ kind: fc.constant("offer" as const), index: fc.nat(versions.length - 1) }),
    fc.constant({ kind: "fail" as const }),
    fc.constant({ kind: "well" as const }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let specs: Specs = NO_SPECS;
      let gate = NO_GATE;
      const taken = new Set<string>();
      for (const happened of events) {
        if (happened.kind === "offer") {
          const active = versions[happened.index] ?? one;
          // As staging does: what was active becomes known good when nothing was.
          specs = { ...specs, active, last_known_good: specs.last_known_good ?? specs.active };
        } else if (happened.kind === "well") specs = commitTrial(specs);
        else {
          const step = stepBack(specs, gate);
          if (step.kind === "back") {
            const pair = `${specs.active?.version} -> ${step.to.version}`;
            expect(taken.has(pair)).toBe(false);
            taken.add(pair);
            expect(step.to).toEqual(specs.last_known_good ?? one);
            gate = step.gate;
            specs = goBack(specs, step.to);
          }
        }
        gate = withTrial(gate, specs, true);
        expect(gate.trial === null || gate.trial.sha256 === specs.active?.artifact_sha256).toBe(true);
      }
    }),
  );
});
