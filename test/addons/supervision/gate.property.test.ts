import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { sha256Of } from "../../../src/base/hashing.ts";
import { goBack, NO_SPECS, type Spec, type Specs } from "../../../src/addons/on-host/spec.ts";
import { isSafeName } from "../../../src/addons/names.ts";
import {
  commitTrial,
  countFailure,
  countStart,
  failsItsTrial,
  isOnTrial,
  isTroubleOfTheHost,
  NO_GATE,
  stepBack,
  withSeen,
  withTrial,
  type Gate,
} from "../../../src/addons/supervision/gate.ts";
import { FULL_WEIGHT } from "../../../src/addons/supervision/sidecar.ts";
import type { Seen } from "../../../src/addons/supervision/whose-fault.ts";

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
const PROBE = sha256Of("tcp 80");
const WELL: Seen = { sha256: one.artifact_sha256, probe: PROBE, answer: "well", fault: null };

function failingProbe(gate: Gate): Gate {
  return countFailure(gate, FULL_WEIGHT, { fault: "never_ready", probe: PROBE });
}

describe("a step back", () => {
  test("goes to the last known good, and notes the pair", () => {
    expect(stepBack(upgraded, withTrial(NO_GATE, upgraded))).toEqual({
      kind: "back",
      to: one,
      gate: { ...NO_GATE, pairs: [{ from: two.artifact_sha256, to: one.artifact_sha256 }] },
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
      { ...NO_GATE, pairs: [{ from: two.artifact_sha256, to: one.artifact_sha256 }] },
      "went_back_before",
    ],
    [
      "the one before was not well either",
      upgraded,
      withTrial({ ...NO_GATE, seen: { ...WELL, fault: "ended" } }, upgraded),
      "unwell_before",
    ],
    [
      "the one before failed the same probe",
      upgraded,
      failingProbe(withTrial({ ...NO_GATE, seen: { ...WELL, answer: "ill" } }, upgraded)),
      "same_probe",
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
  const failing = { fault: "ended", probe: null } as const;
  const trial = { sha256: two.artifact_sha256, starts, failures, before: null, failing };
  expect(failsItsTrial({ ...NO_GATE, trial })).toBe(failed);
  expect(failsItsTrial(NO_GATE)).toBe(false);
});

test("a trial lasts over starts, ends with its commit, and a new version has a new one", () => {
  const gate = countStart(countStart(withTrial(NO_GATE, upgraded)));
  expect(withTrial(gate, upgraded)).toBe(gate);
  expect(gate.trial?.starts).toBe(2);
  expect(isOnTrial(commitTrial(upgraded))).toBe(false);
  expect(withTrial(gate, commitTrial(upgraded)).trial).toBeNull();
  expect(withTrial(gate, { ...upgraded, active: spec("3") }).trial).toMatchObject({ starts: 0 });
});

describe("a probe that both versions fail", () => {
  const failing = failingProbe(withTrial(NO_GATE, upgraded));
  const back = stepBack(upgraded, failing);
  const gate = back.kind === "back" ? back.gate : NO_GATE;
  const after = goBack(upgraded, one);

  test.each<[string, Partial<Seen>, boolean]>([
    ["is never ready", { answer: null, fault: "never_ready" }, true],
    ["is ill", { answer: "ill", fault: "unhealthy" }, true],
    ["misses once", { answer: "ill" }, false],
    ["is well", {}, false],
    ["ends by itself", { answer: null, probe: null, fault: "ended" }, false],
    ["fails another probe", { probe: sha256Of("tcp 81"), fault: "never_ready" }, false],
    ["is a third one", { sha256: sha256Of("3"), fault: "never_ready" }, false],
  ])("is the host's trouble when what is back %s: %p", (_name, seen, isHosts) => {
    const seenGate = withSeen(gate, { ...WELL, ...seen });
    expect(seenGate.left?.cleared ?? false).toBe(isHosts);
    expect(isTroubleOfTheHost(after, seenGate)).toBe(isHosts);
    // Once it is well again, there is none, and what it fails later clears nobody.
    const well = withSeen(seenGate, WELL);
    expect(isTroubleOfTheHost(after, well)).toBe(false);
    expect(withSeen(well, { ...WELL, answer: "ill", fault: "unhealthy" }).left).toBeNull();
    // What was said once is not said again.
    expect(withSeen(seenGate, { ...WELL, ...seen }).left).toEqual(seenGate.left);
  });

  test("is the host's trouble as well while the new one is tried", () => {
    const ill: Seen = { ...WELL, fault: "unhealthy" };
    const tried = withTrial({ ...NO_GATE, seen: ill }, upgraded);
    const now: Seen = { ...ill, sha256: two.artifact_sha256 };
    expect(isTroubleOfTheHost(upgraded, withSeen(tried, now))).toBe(true);
    expect(isTroubleOfTheHost(upgraded, withSeen(tried, { ...now, fault: null }))).toBe(false);
    expect(isTroubleOfTheHost(upgraded, tried)).toBe(false);
  });

  test("what was seen of the known good one counts for the next version as well", () => {
    const first = withTrial({ ...NO_GATE, seen: WELL }, upgraded);
    const seen = withSeen(first, { ...WELL, sha256: two.artifact_sha256, fault: "unhealthy" });
    expect(withTrial(seen, { ...upgraded, active: spec("3") }).trial?.before).toEqual(WELL);
    expect(withTrial({ ...NO_GATE, seen: seen.seen }, upgraded).trial?.before).toBeNull();
  });
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
        gate = withTrial(gate, specs);
        expect(gate.trial === null || gate.trial.sha256 === specs.active?.artifact_sha256).toBe(true);
      }
    }),
  );
});
