import { describe, expect, test } from "bun:test";
import { askOf } from "../../../src/addons/assigned/ask.ts";
import { NOTHING_SAID, type Assignment } from "../../../src/addons/assigned/assignment.ts";
import { Layout } from "../../../src/addons/on-host/layout.ts";
import { NO_SPECS, type Specs } from "../../../src/addons/on-host/spec.ts";
import {
  offeredBy,
  reportOf,
  type AddonReport,
  type Running,
} from "../../../src/addons/supervision/status-report.ts";
import { sha256Of } from "../../../src/base/hashing.ts";
import { specNamed } from "../specs.ts";

const RUNNING: Running = { state: "running", version: "9", pid: 7, starts: 3, lastError: "it ended" };
const REPORTED = {
  id: "sensor",
  specs: NO_SPECS,
  outcome: "staged",
  offered: null,
  run: null,
  error: null,
  isTroubleOfTheHost: false,
};

function report(more: Partial<Parameters<typeof reportOf>[0]> = {}): AddonReport {
  return reportOf({ ...REPORTED, ...more });
}

describe("the report of an add-on", () => {
  test("of which nothing is here tells how its staging ended", () => {
    expect(report({ error: "no disk" })).toEqual({
      addon_id: "sensor",
      state: "staged",
      has: null,
      offered: null,
      last_known_good: null,
      on_trial: false,
      blocked: [],
      pid: null,
      starts: 0,
      last_error: "no disk",
    });
  });

  const specs: Specs = {
    ...NO_SPECS,
    active: specNamed("2"),
    last_known_good: specNamed("1"),
    blocked: [sha256Of("3")],
  };
  const offered = { version: "2", digest: null };

  test("that runs tells what it has, what it was offered, and how it is", () => {
    expect(report({ specs, offered, run: RUNNING, error: "no disk" })).toEqual({
      addon_id: "sensor",
      state: "running",
      has: { version: "2", digest: `sha256:${sha256Of("2")}` },
      offered,
      last_known_good: "1",
      on_trial: true,
      blocked: [`sha256:${sha256Of("3")}`],
      pid: 7,
      starts: 3,
      last_error: "it ended",
    });
    expect(report({ run: { ...RUNNING, lastError: null }, error: "no disk" }).last_error).toBe("no disk");
  });

  test.each<[string, Partial<Specs>, boolean]>([
    ["nothing is active", { active: null }, false],
    ["it is the known good one", { last_known_good: specNamed("2") }, false],
    ["only its arguments are new", { last_known_good: specNamed("2", { args: ["-x"] }) }, false],
    ["nothing is known good", { last_known_good: null }, true],
  ])("is on trial when %s: %p", (_what, more, isOnTrial) => {
    expect(report({ specs: { ...specs, ...more } }).on_trial).toBe(isOnTrial);
  });

  test.each<[string | null, AddonReport["has"]]>([
    ["9", { version: "9", digest: null }],
    [null, null],
    ["../9", null],
  ])("of a program of the host with version %p has %p", (version, has) => {
    expect(report({ run: { ...RUNNING, version } }).has).toEqual(has);
  });

  test.each(["starting", "unhealthy", "restarting", "circuit_open"])(
    "that is %s by the trouble of the host is degraded, and says why",
    (state) => {
      const run = { ...RUNNING, state };
      expect(report({ run, isTroubleOfTheHost: true })).toMatchObject({
        state: "degraded",
        pid: 7,
        last_error: "it ended; the other version fails the same probe here",
      });
      expect(report({ run: { ...run, lastError: null }, isTroubleOfTheHost: true }).last_error).toBe(
        "it is not well; the other version fails the same probe here",
      );
      expect(report({ run })).toMatchObject({ state, last_error: "it ended" });
    },
  );

  test("that is well in spite of the host stays so", () => {
    expect(report({ run: RUNNING, isTroubleOfTheHost: true })).toMatchObject({
      state: "running",
      last_error: "it ended",
    });
    expect(report({ isTroubleOfTheHost: true }).state).toBe("staged");
  });
});

describe("what an assignment offers", () => {
  const offer = (more: Partial<Assignment>): unknown => {
    const assignment = {
      ...NOTHING_SAID,
      addon_id: "sensor",
      enabled: true,
      config_json: undefined,
      ...more,
    };
    return offeredBy(
      askOf(assignment, { os: "linux", arch: "amd64" }, new Layout("/r", "waybill")),
      assignment,
    );
  };
  const artifact = { artifact_object_key: "k", artifact_sha256: sha256Of("1") };

  test.each<[string, Partial<Assignment>, unknown]>([
    ["an artifact", { ...artifact, version: "1" }, { version: "1", digest: `sha256:${sha256Of("1")}` }],
    [
      "an artifact without a version",
      artifact,
      { version: sha256Of("1").slice(0, 12), digest: `sha256:${sha256Of("1")}` },
    ],
    ["a program of the host", { version: "1", binary_path: "/bin/x" }, { version: "1", digest: null }],
    ["a version that no folder can have", { ...artifact, version: "../1" }, null],
    ["nothing", {}, null],
  ])("is of %s: %p", (_what, more, wanted) => {
    expect(offer(more)).toEqual(wanted);
  });
});
