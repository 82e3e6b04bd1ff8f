import { describe, expect, test } from "bun:test";
import { planInstall, planUninstall, holds, type Found } from "../../../src/addons/supervision/unit-plan.ts";
import {
  execWord,
  MARK,
  rootMark,
  unitNames,
  unitsOf,
  type UnitRequest,
} from "../../../src/addons/supervision/unit-text.ts";

const request: UnitRequest = {
  id: "sensor",
  model: "systemd_service",
  waybill: "/usr/local/bin/waybill",
  root: "/var/lib/waybill",
  layout: "waybill",
  specs: "/var/lib/waybill/addons/sensor/.waybill-specs.json",
  args: [],
  service: {},
  timer: null,
  resources: {},
  capabilities: [],
};

const textOf = (more: Partial<UnitRequest>): string => unitsOf({ ...request, ...more }).files[0]?.text ?? "";

describe("units", () => {
  test("a service is started by waybill, goes back by OnFailure=, and gets no capability", () => {
    const { main, files } = unitsOf(request);
    expect(main).toBe("waybill-addon-sensor.service");
    expect(files.map(({ name }) => name)).toEqual([
      "waybill-addon-sensor.service",
      "waybill-rollback-sensor.service",
    ]);
    const text = textOf({});
    for (const line of [
      "ExecStart=/usr/local/bin/waybill addon exec sensor --root /var/lib/waybill --layout waybill",
      "OnFailure=waybill-rollback-sensor.service",
      "CapabilityBoundingSet=",
      "AmbientCapabilities=",
      "DynamicUser=yes",
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
    ])
      expect(text.split("\n")).toContain(line);
    expect(files[1]?.text).toContain("addon rollback sensor --automatic waybill-addon-sensor.service");
  });

  test("exactly the capabilities that were allowed are ambient, and what they need is let through", () => {
    const text = textOf({ capabilities: ["cap_bpf", "cap_net_raw"] });
    expect(text).toContain(
      "\nCapabilityBoundingSet=CAP_BPF CAP_NET_RAW\nAmbientCapabilities=CAP_BPF CAP_NET_RAW\n",
    );
    expect(text).toContain("AF_PACKET");
    expect(text).toContain("@system-service bpf perf_event_open");
  });

  test("limits and wishes", () => {
    const resources = {
      cpu_max_percent: 50,
      memory_max_bytes: 1_000,
      memory_high_bytes: 900,
      tasks_max: 7,
      slice: "a.slice",
    };
    const text = textOf({ resources, service: { user: "sensor", type: "notify", watchdog_sec: 9 } });
    for (const line of [
      "CPUQuota=50%",
      "MemoryMax=1000",
      "MemoryHigh=900",
      "TasksMax=7",
      "Slice=a.slice",
      "User=sensor",
      "WatchdogSec=9",
      "Type=notify",
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).not.toContain("DynamicUser");
  });

  test("a timer needs a time, and spreads a fleet", () => {
    expect(() => unitsOf({ ...request, model: "systemd_timer" })).toThrow(/nothing says when/u);
    const { main, files } = unitsOf({
      ...request,
      model: "systemd_timer",
      timer: { on_calendar: ["hourly"] },
    });
    expect(main).toBe("waybill-addon-sensor.timer");
    expect(files[0]?.text).toContain("\nType=oneshot\n");
    expect(files[1]?.text).toContain("\nOnCalendar=hourly\nRandomizedDelaySec=30\nPersistent=yes\n");
  });

  test("names of units have no plus sign, and none is another add-on's", () => {
    expect(unitNames("a+b").service).toBe("waybill-addon-a\\x2bb.service");
    expect(unitNames("rollback-a").service).not.toBe(unitNames("a").rollback);
    expect(() => unitNames("x".repeat(201))).toThrow();
  });

  test.each([
    ["plain", "plain"],
    ["a b", '"a b"'],
    ["50%", "50%%"],
    ["$HOME", "$$HOME"],
    ['a"b\\', '"a\\"b\\\\"'],
    ["", '""'],
    ["a;b", '"a;b"'],
  ])("the word %p is written as %s", (word, text) => {
    expect(execWord(word)).toBe(text);
  });

  test("a line break in a word is refused", () => {
    expect(() => execWord("a\nUser=root")).toThrow(/control character/u);
    expect(() => textOf({ specs: "/var/lib/way bill/x" })).toThrow(/without spaces/u);
  });
});

const ROOT = "/var/lib/waybill";
const HEAD = `${MARK}\n${rootMark(ROOT)}`;
const ours = (text: string): Found => ({ kind: "file", text: `${HEAD}\n${text}` });
const wanted = [{ name: "a.service", text: `${HEAD}\nnew` }];

describe("installing", () => {
  test("writes what is missing or other, and nothing that is right", () => {
    expect(planInstall(wanted, ["a.service"], {}, ROOT)).toEqual([
      { name: "a.service", text: `${HEAD}\nnew`, before: null },
    ]);
    expect(planInstall(wanted, ["a.service"], { "a.service": ours("old") }, ROOT)).toMatchObject([
      { before: `${HEAD}\nold` },
    ]);
    expect(planInstall(wanted, ["a.service"], { "a.service": ours("new") }, ROOT)).toEqual([]);
  });

  test("takes away what of ours is not wanted any more, and leaves what is somebody's", () => {
    const known = ["a.service", "a.timer"];
    expect(planInstall(wanted, known, { "a.timer": ours("x") }, ROOT)).toContainEqual({
      name: "a.timer",
      text: null,
      before: `${HEAD}\nx`,
    });
    expect(planInstall(wanted, known, { "a.timer": { kind: "file", text: "[Timer]" } }, ROOT)).toHaveLength(
      1,
    );
  });

  test.each<[string, Found, RegExp]>([
    ["a mask", { kind: "masked" }, /is masked/u],
    ["a link", { kind: "other" }, /not written by waybill/u],
    ["a file of somebody", { kind: "file", text: "[Service]" }, /not written by waybill/u],
    [
      "a unit of another root",
      { kind: "file", text: `${MARK}\n${rootMark("/srv/other root")}\n` },
      /is of an add-on below "\/srv\/other root"/u,
    ],
    ["a file with our mark further down", { kind: "file", text: `#\n${MARK}\n` }, /not written by waybill/u],
  ])("over %s is refused", (_name, found, message) => {
    expect(() => planInstall(wanted, ["a.service"], { "a.service": found }, ROOT)).toThrow(message);
  });

  test("uninstalling removes what is ours and names the rest", () => {
    const found = { "a.service": ours("x"), "a.timer": { kind: "masked" } } as const;
    expect(planUninstall(["a.service", "a.timer", "b.service"], found, ROOT)).toEqual({
      changes: [{ name: "a.service", text: null, before: `${HEAD}\nx` }],
      kept: ["a.timer"],
    });
    expect(planUninstall(["a.service"], found, "/srv/other")).toEqual({ changes: [], kept: ["a.service"] });
  });

  test.each([
    ["active", "running", "success", 0, true],
    ["active", "running", "success", 1, false],
    ["activating", "auto-restart", "exit-code", 0, false],
    ["activating", "start", "success", 0, null],
    ["failed", "failed", "exit-code", 0, false],
    ["inactive", "dead", "success", 0, true],
    ["inactive", "dead", "exit-code", 0, false],
  ])("%s/%s, %s, %p restarts holds: %p", (active, sub, result, restarts, verdict) => {
    expect(holds({ active, sub, result, restarts })).toBe(verdict);
  });
});
