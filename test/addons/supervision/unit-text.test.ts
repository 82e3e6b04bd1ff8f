import { describe, expect, test } from "bun:test";
import { refusalOf } from "../../trust/refusal.ts";
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

/** The lines of a unit behind those that say whose it is. */
const linesOf = (more: Partial<UnitRequest>, index = 0): string[] =>
  (unitsOf({ ...request, ...more }).files[index]?.text ?? "").split("\n").slice(2);

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

  /** The calls and the files of every service. */
  const CALLS = [
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
    "UMask=0077",
  ];
  const PROTECTED = [
    "ProtectSystem=strict",
    "ProtectProc=invisible",
    ...["NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "ProtectClock", "ProtectHostname"],
    ...["ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectControlGroups"],
    ...["RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "RemoveIPC"],
  ].map((name) => (name.includes("=") ? name : `${name}=yes`));

  test("a service that wishes for nothing has every line that holds it, and no other one", () => {
    expect(linesOf({})).toEqual([
      "[Unit]",
      "Description=Add-on sensor",
      "OnFailure=waybill-rollback-sensor.service",
      "StartLimitIntervalSec=120",
      "StartLimitBurst=5",
      "",
      "[Service]",
      "Type=exec",
      "ExecStart=/usr/local/bin/waybill addon exec sensor --root /var/lib/waybill --layout waybill",
      "SuccessExitStatus=143",
      "LoadCredential=waybill-specs:/var/lib/waybill/addons/sensor/.waybill-specs.json",
      "Restart=on-failure",
      "RestartSec=1",
      "TimeoutStopSec=10",
      "DynamicUser=yes",
      "StateDirectory=waybill-addons/sensor",
      "StateDirectoryMode=0700",
      "TasksMax=128",
      "CapabilityBoundingSet=",
      "AmbientCapabilities=",
      ...PROTECTED,
      "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
      ...CALLS,
      "",
      "[Install]",
      "WantedBy=multi-user.target",
      "",
    ]);
  });

  test("a service has the lines of its wishes, arguments and limits", () => {
    const service = {
      type: "notify",
      user: "sensor",
      restart: "always",
      restart_sec: 2,
      start_sec: 3,
      stop_sec: 4,
      watchdog_sec: 5,
      wait_for_network: true,
      address_families: ["AF_NETLINK", "AF_INET"],
    } as const;
    const resources = {
      cpu_max_percent: 50,
      memory_high_bytes: 900,
      memory_max_bytes: 1_000,
      tasks_max: 7,
      slice: "a.slice",
    };
    expect(linesOf({ service, resources, args: ["--port"], specs: "/var/lib/100%/specs" })).toEqual([
      "[Unit]",
      "Description=Add-on sensor",
      "Wants=network-online.target",
      "After=network-online.target",
      "OnFailure=waybill-rollback-sensor.service",
      "StartLimitIntervalSec=120",
      "StartLimitBurst=5",
      "",
      "[Service]",
      "Type=notify",
      "ExecStart=/usr/local/bin/waybill addon exec sensor --root /var/lib/waybill --layout waybill -- --port",
      "SuccessExitStatus=143",
      "LoadCredential=waybill-specs:/var/lib/100%%/specs",
      "Restart=always",
      "RestartSec=2",
      "TimeoutStartSec=3",
      "TimeoutStopSec=4",
      "WatchdogSec=5",
      "User=sensor",
      "StateDirectory=waybill-addons/sensor",
      "StateDirectoryMode=0700",
      "CPUQuota=50%",
      "MemoryHigh=900",
      "MemoryMax=1000",
      "TasksMax=7",
      "Slice=a.slice",
      "CapabilityBoundingSet=",
      "AmbientCapabilities=",
      ...PROTECTED,
      "RestrictAddressFamilies=AF_INET AF_NETLINK AF_UNIX",
      ...CALLS,
      "",
      "[Install]",
      "WantedBy=multi-user.target",
      "",
    ]);
  });

  test("a job has no lines about being started again, and is started by its timer", () => {
    const timer = {
      on_calendar: ["hourly", "weekly"],
      on_boot: "5min",
      on_unit_active: "1h",
      randomized_delay: "7",
      accuracy: "1us",
      persistent: false,
    };
    const job = { model: "systemd_timer", timer, service: { watchdog_sec: 5 } } as const;
    const lines = linesOf(job);
    expect([
      lines.slice(0, 5),
      lines.filter((line) => /^(?:Restart|StartLimit|Watchdog)\w*Sec=|^Restart=|Install/u.test(line)),
    ]).toEqual([
      ["[Unit]", "Description=Add-on sensor", "OnFailure=waybill-rollback-sensor.service", "", "[Service]"],
      [],
    ]);
    expect(lines).toContain("Type=oneshot");
    expect(linesOf(job, 1)).toEqual([
      "[Unit]",
      "Description=When add-on sensor runs",
      "",
      "[Timer]",
      "Unit=waybill-addon-sensor.service",
      "OnCalendar=hourly",
      "OnCalendar=weekly",
      "OnBootSec=5min",
      "OnUnitActiveSec=1h",
      "OnActiveSec=0",
      "RandomizedDelaySec=7",
      "AccuracySec=1us",
      "Persistent=no",
      "",
      "[Install]",
      "WantedBy=timers.target",
      "",
    ]);
  });

  test.each([
    [{ on_boot: "5min" }, ["OnBootSec=5min", "RandomizedDelaySec=0"]],
    [{ on_unit_active: "1h" }, ["OnUnitActiveSec=1h", "OnActiveSec=0", "RandomizedDelaySec=0"]],
    [
      { on_calendar: ["hourly"], persistent: true },
      ["OnCalendar=hourly", "RandomizedDelaySec=30", "Persistent=yes"],
    ],
  ])("a timer with %p alone says that and no more", (timer, wanted) => {
    const lines = linesOf({ model: "systemd_timer", timer }, 1);
    expect(lines.slice(5, lines.indexOf("[Install]") - 1)).toEqual(wanted);
  });

  test("the way back is one command, held as well as root can be", () => {
    expect(linesOf({ args: ["--port"] }, 1)).toEqual([
      "[Unit]",
      "Description=Puts add-on sensor back when a new version of it fails",
      "",
      "[Service]",
      "Type=oneshot",
      "ExecStart=/usr/local/bin/waybill addon rollback sensor --automatic waybill-addon-sensor.service --root /var/lib/waybill --layout waybill",
      "ProtectHome=yes",
      "PrivateTmp=yes",
      "NoNewPrivileges=yes",
      "UMask=0022",
      "",
    ]);
  });

  test.each([
    [["cap_net_raw"], "AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_UNIX", false],
    [["cap_net_admin"], "AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_UNIX", false],
    [["cap_bpf"], "AF_INET AF_INET6 AF_UNIX", true],
    [["cap_perfmon"], "AF_INET AF_INET6 AF_UNIX", true],
    [["cap_chown"], "AF_INET AF_INET6 AF_UNIX", false],
  ])("with %p it may use %s, and trace: %p", (capabilities, families, traces) => {
    const lines = linesOf({ capabilities });
    expect(lines).toContain(`RestrictAddressFamilies=${families}`);
    expect(lines.filter((line) => line.startsWith("SystemCallFilter="))).toEqual(
      traces
        ? ["SystemCallFilter=@system-service bpf perf_event_open"]
        : ["SystemCallFilter=@system-service", "SystemCallFilter=~@privileged @resources"],
    );
  });

  test("a program that logs can, whatever families it wishes for", () => {
    expect(linesOf({ service: { address_families: [] } })).toContain("RestrictAddressFamilies=AF_UNIX");
    expect(linesOf({ service: { address_families: [] }, capabilities: ["cap_net_raw"] })).toContain(
      "RestrictAddressFamilies=AF_NETLINK AF_PACKET AF_UNIX",
    );
  });

  test("exactly the capabilities that were allowed are ambient, and what they need is let through", () => {
    const text = textOf({ capabilities: ["cap_bpf", "cap_net_raw"] });
    expect(text).toContain(
      "\nCapabilityBoundingSet=CAP_BPF CAP_NET_RAW\nAmbientCapabilities=CAP_BPF CAP_NET_RAW\n",
    );
    expect(text).toContain("AF_PACKET");
    expect(text).toContain("@system-service bpf perf_event_open");
  });

  test("a timer needs a time, and spreads a fleet", () => {
    const timeless = refusalOf(() => unitsOf({ ...request, model: "systemd_timer" }));
    expect([timeless.code, timeless.message]).toEqual([
      "manifest_invalid",
      'add-on "sensor" runs by a timer and nothing says when',
    ]);
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
    expect(unitNames("x".repeat(200)).service).toHaveLength("waybill-addon-.service".length + 200);
    expect(refusalOf(() => unitNames("x".repeat(201))).code).toBe("unsafe_path");
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
    const refused = [() => execWord("a\nUser=root"), () => textOf({ specs: "/var/lib/way bill/x" })];
    expect(refused.map((work) => refusalOf(work)).map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringMatching(/^unit_unsafe: .*control character/u),
      expect.stringMatching(/^unit_unsafe: .*without spaces/u),
    ]);
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

  const strange = (text: string): Found => ({ kind: "file", text });
  const FOREIGN = 'unit "a.service" was not written by waybill';
  test.each<[string, Found, string, string]>([
    ["a mask", { kind: "masked" }, "unit_masked", 'unit "a.service" is masked on this host'],
    ["a link", { kind: "other" }, "unit_foreign", FOREIGN],
    ["a file of somebody", strange("[Service]"), "unit_foreign", FOREIGN],
    [
      "a unit of another root",
      strange(`${MARK}\n${rootMark("/srv/other root")}\n`),
      "unit_foreign",
      'unit "a.service" is of an add-on below "/srv/other root"',
    ],
    ["a file with our mark further down", strange(`#\n${MARK}\n`), "unit_foreign", FOREIGN],
    ["a file with our mark further down and a root", strange(`#\n${HEAD}\n`), "unit_foreign", FOREIGN],
    ["a file with our mark and no root", strange(`${MARK}\n[Service]\n`), "unit_foreign", FOREIGN],
    ["a file whose root is empty", strange(`${MARK}\n${rootMark("")}\n`), "unit_foreign", FOREIGN],
    [
      "a file whose root stands behind something",
      strange(`${MARK}\nx # Root: "/a"\n`),
      "unit_foreign",
      FOREIGN,
    ],
    [
      "a file whose root is followed by something",
      strange(`${MARK}\n# Root: "/a" x\n`),
      "unit_foreign",
      FOREIGN,
    ],
  ])("over %s is refused", (_name, found, code, message) => {
    const refusal = refusalOf(() => planInstall(wanted, ["a.service"], { "a.service": found }, ROOT));
    expect([refusal.code as string, refusal.message]).toEqual([code, message]);
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
    ["reloading", "reload", "success", 0, null],
    ["deactivating", "stop", "success", 0, false],
  ])("%s/%s, %s, %p restarts holds: %p", (active, sub, result, restarts, verdict) => {
    expect(holds({ active, sub, result, restarts })).toBe(verdict);
  });
});
