import { describe, expect, test } from "bun:test";
import { jobHealth, serviceHealth, type Shown } from "../../../src/addons/supervision/unit-health.ts";

const UP: Shown = {
  LoadState: "loaded",
  ActiveState: "active",
  SubState: "running",
  Result: "success",
  MainPID: "7",
};

test.each<[string, Shown, string, boolean]>([
  ["runs", UP, "running", true],
  ["is masked", { ...UP, LoadState: "masked", ActiveState: "inactive" }, "stopped", false],
  [
    "waits to be started again",
    { ...UP, ActiveState: "activating", SubState: "auto-restart" },
    "restarting",
    false,
  ],
  ["starts", { ...UP, ActiveState: "activating", SubState: "start" }, "starting", false],
  ["ends", { ...UP, ActiveState: "deactivating", SubState: "stop-sigterm" }, "restarting", false],
  ["failed", { ...UP, ActiveState: "failed", SubState: "failed", Result: "exit-code" }, "unhealthy", false],
  ["is not there", { LoadState: "not-found", ActiveState: "inactive" }, "stopped", false],
  ["is nothing that anybody knows", {}, "stopped", false],
])("a service that %s", (_name, service, state, well) => {
  expect(serviceHealth(service)).toMatchObject({ state, well });
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

  test.each<[string, Shown, Shown, string, boolean]>([
    ["waits after a good run", DONE, WAITS, "running", true],
    [
      "runs now",
      { ...DONE, ActiveState: "activating", SubState: "start", MainPID: "9" },
      WAITS,
      "running",
      false,
    ],
    ["failed the last time", FAILED, WAITS, "unhealthy", false],
    ["failed, and was reset since", { ...FAILED, ActiveState: "inactive" }, WAITS, "unhealthy", false],
    ["failed, and runs again now", { ...FAILED, ActiveState: "activating" }, WAITS, "running", false],
    ["has no next time", DONE, ELAPSED, "unhealthy", false],
    ["runs for the last time", { ...DONE, ActiveState: "activating" }, ELAPSED, "running", false],
    ["has a timer that is not active", DONE, { ...WAITS, ActiveState: "inactive" }, "stopped", false],
    ["has a timer that failed", DONE, { ...WAITS, ActiveState: "failed" }, "unhealthy", false],
    [
      "has a masked timer",
      DONE,
      { ...WAITS, LoadState: "masked", ActiveState: "inactive" },
      "stopped",
      false,
    ],
  ])("one that %s", (_name, service, timer, state, well) => {
    expect(jobHealth(service, timer)).toMatchObject({ state, well });
  });
});
