import { describe, expect, test } from "bun:test";
import {
  jobHealth,
  SERVICE_PROPERTIES,
  serviceHealth,
  TIMER_PROPERTIES,
  type Shown,
} from "../../../src/addons/supervision/unit-health.ts";

const UP: Shown = {
  LoadState: "loaded",
  ActiveState: "active",
  SubState: "running",
  Result: "success",
  MainPID: "7",
};

const MASKED = "its unit is masked on this host";
const FAILED_RUN = { Result: "exit-code", ExecMainStatus: "3" };

test.each<[string, Shown, string, number | null, string | null, boolean]>([
  ["runs", UP, "running", 7, null, true],
  ["runs as the first process", { ...UP, MainPID: "1" }, "running", 1, null, true],
  ["has no process that anybody knows", { ActiveState: "active" }, "running", null, null, true],
  ["has no process", { ...UP, MainPID: "0" }, "running", null, null, true],
  ["is masked", { ...UP, LoadState: "masked", ActiveState: "inactive" }, "stopped", null, MASKED, false],
  ["is masked and runs yet", { ...UP, LoadState: "masked" }, "stopped", null, MASKED, false],
  [
    "waits to be started again",
    { ...UP, ...FAILED_RUN, ActiveState: "activating", SubState: "auto-restart" },
    "restarting",
    null,
    "ended with exit-code, status 3",
    false,
  ],
  ["starts", { ...UP, ActiveState: "activating", SubState: "start" }, "starting", 7, null, false],
  ["reads its configuration again", { ...UP, ActiveState: "reloading" }, "starting", 7, null, false],
  ["ends", { ...UP, ActiveState: "deactivating", SubState: "stop-sigterm" }, "restarting", 7, null, false],
  [
    "failed",
    { ...UP, ...FAILED_RUN, ActiveState: "failed", SubState: "failed" },
    "unhealthy",
    null,
    "ended with exit-code, status 3",
    false,
  ],
  [
    "failed, and nobody knows how",
    { ActiveState: "failed" },
    "unhealthy",
    null,
    "ended with nothing known, status unknown",
    false,
  ],
  ["is not there", { LoadState: "not-found", ActiveState: "inactive" }, "stopped", null, null, false],
  ["is nothing that anybody knows", {}, "stopped", null, null, false],
])("a service that %s", (_name, service, state, pid, lastError, well) => {
  expect(serviceHealth(service)).toEqual({ state, pid, lastError, well });
});

test("what is asked of units is what is looked at, and what their starts are counted by", () => {
  expect<readonly string[]>(SERVICE_PROPERTIES).toEqual([
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "ExecMainStatus",
    "ExecMainExitTimestampMonotonic",
    "MainPID",
  ]);
  expect<readonly string[]>(TIMER_PROPERTIES).toEqual([
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NextElapseUSecRealtime",
    "NextElapseUSecMonotonic",
  ]);
});

describe("case 91: a job is not well because its timer is active", () => {
  const DONE: Shown = {
    LoadState: "loaded",
    ActiveState: "inactive",
    SubState: "dead",
    Result: "success",
    MainPID: "0",
  };
  const WAITS: Shown = {
    ...{ LoadState: "loaded", ActiveState: "active", SubState: "waiting", Result: "success" },
    ...{ NextElapseUSecRealtime: "Sat 2026-11-21 15:00:00 UTC", NextElapseUSecMonotonic: "" },
  };
  const FAILED: Shown = {
    ...DONE,
    ActiveState: "failed",
    SubState: "failed",
    Result: "exit-code",
    ExecMainStatus: "3",
  };
  const ELAPSED: Shown = {
    ...WAITS,
    SubState: "elapsed",
    NextElapseUSecRealtime: "",
    NextElapseUSecMonotonic: "infinity",
  };

  const elapsed = (at: string | undefined): Shown => {
    const { NextElapseUSecRealtime: _realtime, NextElapseUSecMonotonic: _monotonic, ...timer } = ELAPSED;
    return at === undefined ? timer : { ...timer, NextElapseUSecMonotonic: at };
  };
  const LAST = "the last run of its job ended with exit-code, status 3";
  const OVER = "its timer has elapsed and has no next time";

  test.each<[string, Shown, Shown, string, number | null, string | null, boolean]>([
    ["waits after a good run", DONE, WAITS, "running", null, null, true],
    ["never ran, as far as anybody knows", { ActiveState: "inactive" }, WAITS, "running", null, null, true],
    ["has no result yet", { ...DONE, Result: "" }, WAITS, "running", null, null, true],
    ["runs now", { ...DONE, ActiveState: "activating", MainPID: "9" }, WAITS, "running", 9, null, false],
    ["is up now", { ...DONE, ActiveState: "active", MainPID: "9" }, WAITS, "running", 9, null, false],
    ["failed the last time", FAILED, WAITS, "unhealthy", null, LAST, false],
    [
      "failed, and its result was reset",
      { ...FAILED, Result: "success" },
      WAITS,
      "unhealthy",
      null,
      "the last run of its job ended with success, status 3",
      false,
    ],
    [
      "failed, and was reset since",
      { ...FAILED, ActiveState: "inactive" },
      WAITS,
      "unhealthy",
      null,
      LAST,
      false,
    ],
    [
      "failed, and runs again now",
      { ...FAILED, ActiveState: "activating" },
      WAITS,
      "running",
      null,
      null,
      false,
    ],
    [
      "failed, and is up again now",
      { ...FAILED, ActiveState: "active" },
      WAITS,
      "running",
      null,
      null,
      false,
    ],
    ["has no next time", DONE, ELAPSED, "unhealthy", null, OVER, false],
    ["has no next time that was told", DONE, elapsed(undefined), "unhealthy", null, OVER, false],
    ["has a next time of 0", DONE, elapsed("0"), "unhealthy", null, OVER, false],
    ["has a next time that is none", DONE, elapsed("n/a"), "unhealthy", null, OVER, false],
    ["has a next time since the start", DONE, elapsed("3h 5min"), "running", null, null, true],
    [
      "has a next time by the clock",
      DONE,
      { ...ELAPSED, NextElapseUSecRealtime: "Sat 2026-11-21 15:00:00 UTC" },
      "running",
      null,
      null,
      true,
    ],
    [
      "waits for a time that nobody told",
      DONE,
      { ...elapsed(undefined), SubState: "waiting" },
      "running",
      null,
      null,
      true,
    ],
    ["runs for the last time", { ...DONE, ActiveState: "activating" }, ELAPSED, "running", null, null, false],
    [
      "has a timer that is not active",
      DONE,
      { ...WAITS, ActiveState: "inactive" },
      "stopped",
      null,
      null,
      false,
    ],
    [
      "has a timer that failed",
      DONE,
      { ...WAITS, ActiveState: "failed", Result: "resources" },
      "unhealthy",
      null,
      "its timer failed: resources",
      false,
    ],
    ["has a masked timer", DONE, { ...WAITS, LoadState: "masked" }, "stopped", null, MASKED, false],
    ["is masked", { ...DONE, LoadState: "masked" }, WAITS, "stopped", null, MASKED, false],
  ])("one that %s", (_name, service, timer, state, pid, lastError, well) => {
    expect(jobHealth(service, timer)).toEqual({ state, pid, lastError, well });
  });
});
