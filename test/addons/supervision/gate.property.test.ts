import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { sha256Of } from "../../../src/base/hashing.ts";
import { goBack, NO_SPECS, type Specs } from "../../../src/addons/on-host/spec.ts";
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
import { specNamed } from "../specs.ts";

const [one, two, third] = [specNamed("1"), specNamed("2"), specNamed("3")];
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

  test("is taken though others were: from another version, or to another one", () => {
    const [from, to, other] = [two, one, third].map(({ artifact_sha256: sha256 }) => sha256);
    if (from === undefined || to === undefined || other === undefined) throw new Error("three versions");
    const pairs = [
      { from: other, to },
      { from, to: other },
    ];
    const back = stepBack(upgraded, { ...NO_GATE, pairs });
    expect(back).toMatchObject({ kind: "back", gate: { pairs: [{ from, to }, ...pairs] } });
  });

  test("is remembered with the newest thirty-one others", () => {
    const pairs = Array.from({ length: 32 }, (_, at) => ({
      from: sha256Of(`f${at}`),
      to: sha256Of(`t${at}`),
    }));
    const back = stepBack(upgraded, { ...NO_GATE, pairs });
    const pair = { from: two.artifact_sha256, to: one.artifact_sha256 };
    expect(back).toMatchObject({ kind: "back", gate: { pairs: [pair, ...pairs.slice(0, 31)] } });
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

test("only an active version beside a known good one is on trial", () => {
  const found = [
    NO_SPECS,
    { ...NO_SPECS, active: one },
    { ...NO_SPECS, last_known_good: one },
    { ...upgraded, active: one },
    upgraded,
  ].map(isOnTrial);
  expect(found).toEqual([false, false, false, false, true]);
});

test("what has no trial stays as it is", () => {
  const specs = { ...NO_SPECS, last_known_good: one };
  expect(withTrial(NO_GATE, NO_SPECS)).toBe(NO_GATE);
  expect([countStart(NO_GATE), countFailure(NO_GATE), commitTrial(specs)]).toEqual([NO_GATE, NO_GATE, specs]);
});

test("a trial begins with nothing, and counts starts and failures beside what else is remembered", () => {
  const pairs = [{ from: third.artifact_sha256, to: one.artifact_sha256 }];
  const gate = withTrial({ ...NO_GATE, pairs, seen: WELL }, upgraded);
  const ended = { fault: "ended", probe: null } as const;
  const trial = { sha256: two.artifact_sha256, starts: 0, failures: 0, before: WELL, failing: ended };
  expect(gate).toEqual({ trial, pairs, seen: WELL, left: null });
  expect(countStart(gate)).toEqual({ ...gate, trial: { ...trial, starts: 1 } });
  const unhealthy = { fault: "unhealthy", probe: PROBE } as const;
  const failed = countFailure(countFailure(gate, 2, unhealthy));
  expect(failed).toEqual({ ...gate, trial: { ...trial, failures: 3, failing: unhealthy } });
});

test("a trial lasts over starts, ends with its commit, and a new version has a new one", () => {
  const gate = countStart(countStart(withTrial(NO_GATE, upgraded)));
  expect(withTrial(gate, upgraded)).toBe(gate);
  expect(gate.trial?.starts).toBe(2);
  expect(isOnTrial(commitTrial(upgraded))).toBe(false);
  expect(withTrial(gate, commitTrial(upgraded)).trial).toBeNull();
  expect(withTrial(gate, { ...upgraded, active: third }).trial).toMatchObject({ starts: 0 });
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

  test("is not the host's trouble while something else runs, or nothing was seen of it", () => {
    const seen: Seen = { ...WELL, fault: "never_ready" };
    const left = { sha256: two.artifact_sha256, to: one.artifact_sha256, probe: PROBE, cleared: true };
    const of = (specs: Specs, more: Partial<Gate>): boolean =>
      isTroubleOfTheHost(specs, { ...NO_GATE, seen, left, ...more });
    expect(of(after, {})).toBe(true);
    expect([of({ ...after, active: third }, {}), of({ ...after, active: null }, {})]).toEqual([false, false]);
    expect([of(after, { seen: null }), of(after, { left: null })]).toEqual([false, false]);
    expect(of(after, { left: { ...left, cleared: false } })).toBe(false);
    expect(of(after, { left: { ...left, to: third.artifact_sha256 } })).toBe(false);
    expect(of(after, { left: { ...left, probe: sha256Of("tcp 81") } })).toBe(false);
    expect(of(NO_SPECS, { seen: null })).toBe(false);
  });

  test("is noted beside what else is remembered, and taken back by nobody else's health", () => {
    const cleared = withSeen(gate, { ...WELL, answer: null, fault: "never_ready" });
    expect(cleared.left?.cleared).toBe(true);
    expect(cleared.pairs).toEqual(gate.pairs);
    expect(withSeen(cleared, WELL).pairs).toEqual(gate.pairs);
    expect(withSeen(cleared, { ...WELL, sha256: third.artifact_sha256 }).left).toEqual(cleared.left);
  });

  test("is the host's trouble as well while the new one is tried", () => {
    const ill: Seen = { ...WELL, fault: "unhealthy" };
    const tried = withTrial({ ...NO_GATE, seen: ill }, upgraded);
    const now: Seen = { ...ill, sha256: two.artifact_sha256 };
    expect(isTroubleOfTheHost(upgraded, withSeen(tried, now))).toBe(true);
    expect(isTroubleOfTheHost(upgraded, withSeen(tried, { ...now, fault: null }))).toBe(false);
    expect(isTroubleOfTheHost(upgraded, tried)).toBe(false);
    // What was well before and fails now is the new one's own.
    const own = withTrial({ ...NO_GATE, seen: WELL }, upgraded);
    expect(isTroubleOfTheHost(upgraded, withSeen(own, now))).toBe(false);
  });

  test("what was seen of the known good one counts for the next version as well", () => {
    const first = withTrial({ ...NO_GATE, seen: WELL }, upgraded);
    const seen = withSeen(first, { ...WELL, sha256: two.artifact_sha256, fault: "unhealthy" });
    expect(withTrial(seen, { ...upgraded, active: third }).trial?.before).toEqual(WELL);
    expect(withTrial({ ...NO_GATE, seen: seen.seen }, upgraded).trial?.before).toBeNull();
    // What was seen of it last counts, though it was tried against before.
    const last: Seen = { ...WELL, answer: "ill" };
    expect(withTrial(withSeen(first, last), { ...upgraded, active: third }).trial?.before).toEqual(last);
  });
});

test("whatever fails and is offered again, the steps back come to an end: one for each pair", () => {
  const versions = ["1", "2", "3", "4"].map((version) => specNamed(version));
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
