import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import type { ServiceWishes, TimerWishes } from "./manifest.ts";
import type { Resources } from "./resources.ts";

/** The first line of every unit of ours; a file without it is never written over or removed. */
export const MARK = "# Written by waybill; a change here is lost, a drop-in is kept.";

export type UnitFile = { readonly name: string; readonly text: string };

export type UnitRequest = {
  readonly id: string;
  readonly model: "systemd_service" | "systemd_timer";
  /** Absolute path of waybill itself. */
  readonly waybill: string;
  readonly root: string;
  readonly layout: string;
  /** The specs, which the service cannot read where they lie. */
  readonly specs: string;
  readonly args: readonly string[];
  readonly service: ServiceWishes;
  readonly timer: TimerWishes | null;
  readonly resources: Resources;
  /** Of the allow-list, in lower case. */
  readonly capabilities: readonly string[];
};

export type UnitNames = { readonly service: string; readonly timer: string; readonly rollback: string };

/** `+` is no letter of a unit's name. */
export function unitNames(id: string): UnitNames {
  const name = id.replaceAll("+", "\\x2b");
  if (name.length > 200)
    throw new Failure("unsafe_path", `${quoted(id, 60)} is too long for the name of a unit`);
  return {
    service: `waybill-addon-${name}.service`,
    timer: `waybill-addon-${name}.timer`,
    rollback: `waybill-rollback-${name}.service`,
  };
}

/** Every unit of one add-on. `main` is the one that is enabled and started. */
export function unitsOf(request: UnitRequest): {
  readonly main: string;
  readonly files: readonly UnitFile[];
} {
  const names = unitNames(request.id);
  const service = { name: names.service, text: serviceText(request, names) };
  const rollback = { name: names.rollback, text: rollbackText(request, names) };
  if (request.model === "systemd_service") return { main: names.service, files: [service, rollback] };
  const timer = { name: names.timer, text: timerText(request, names) };
  return { main: names.timer, files: [service, timer, rollback] };
}

function serviceText(request: UnitRequest, names: UnitNames): string {
  const { service, model, id } = request;
  const isJob = model === "systemd_timer";
  const waits = service.wait_for_network === true;
  const restart = service.restart ?? "on-failure";
  return unitText(request.root, [
    [
      "Unit",
      ["Description", `Add-on ${id}`],
      ...(waits ? [line("Wants", "network-online.target"), line("After", "network-online.target")] : []),
      ["OnFailure", names.rollback],
      ...(isJob ? [] : [line("StartLimitIntervalSec", "120"), line("StartLimitBurst", "5")]),
    ],
    [
      "Service",
      ["Type", isJob ? "oneshot" : (service.type ?? "exec")],
      ["ExecStart", commandLine(request, ["addon", "exec", id], request.args)],
      // SIGTERM while waybill still reads is a stop like any other.
      ["SuccessExitStatus", "143"],
      // Another user may not read it, and a configuration may hold secrets.
      ["LoadCredential", `waybill-specs:${pathText(request.specs)}`],
      ...(isJob ? [] : [line("Restart", restart), line("RestartSec", String(service.restart_sec ?? 1))]),
      ...timeouts(service, isJob),
      ...(service.user === undefined ? [line("DynamicUser", "yes")] : [line("User", service.user)]),
      // Below a folder of its own: systemd moves what DynamicUser keeps to a private place.
      ["StateDirectory", `waybill-addons/${id}`],
      ["StateDirectoryMode", "0700"],
      ...limits(request.resources),
      ...hardening(request),
    ],
    ...(isJob ? [] : [section("Install", line("WantedBy", "multi-user.target"))]),
  ]);
}

function timeouts(service: ServiceWishes, isJob: boolean): Line[] {
  return [
    ...(service.start_sec === undefined ? [] : [line("TimeoutStartSec", String(service.start_sec))]),
    ["TimeoutStopSec", String(service.stop_sec ?? 10)],
    ...(service.watchdog_sec === undefined || isJob
      ? []
      : [line("WatchdogSec", String(service.watchdog_sec))]),
  ];
}

function limits({
  cpu_max_percent: cpu,
  memory_high_bytes: high,
  memory_max_bytes: max,
  tasks_max: tasks,
  slice,
}: Resources): Line[] {
  return [
    ...(cpu === undefined ? [] : [line("CPUQuota", `${cpu}%`)]),
    ...(high === undefined ? [] : [line("MemoryHigh", String(high))]),
    ...(max === undefined ? [] : [line("MemoryMax", String(max))]),
    ["TasksMax", String(tasks ?? 128)],
    ...(slice === undefined ? [] : [line("Slice", slice)]),
  ];
}

const PROTECTIONS =
  "NoNewPrivileges PrivateTmp PrivateDevices ProtectHome ProtectClock ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ProtectControlGroups RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality RemoveIPC".split(
    " ",
  );

/**
 * As strict as a program that nobody here has read can be held. Not `MemoryDenyWriteExecute`: what starts first is
 * waybill, whose runtime compiles while it runs, and the rule would last.
 */
function hardening({ capabilities, service }: UnitRequest): Line[] {
  const caps = capabilities.map((name) => name.toUpperCase()).join(" ");
  const raw = capabilities.some((name) => name === "cap_net_raw" || name === "cap_net_admin");
  const traces = capabilities.some((name) => name === "cap_bpf" || name === "cap_perfmon");
  const families = new Set(service.address_families ?? ["AF_UNIX", "AF_INET", "AF_INET6"]);
  // Without the last one nothing logs.
  for (const family of raw ? ["AF_NETLINK", "AF_PACKET", "AF_UNIX"] : ["AF_UNIX"]) families.add(family);
  return [
    ["CapabilityBoundingSet", caps],
    ["AmbientCapabilities", caps],
    ["ProtectSystem", "strict"],
    ["ProtectProc", "invisible"],
    ...PROTECTIONS.map((name) => line(name, "yes")),
    ["RestrictAddressFamilies", [...families].toSorted().join(" ")],
    ["SystemCallArchitectures", "native"],
    ["SystemCallFilter", traces ? "@system-service bpf perf_event_open" : "@system-service"],
    ...(traces ? [] : [line("SystemCallFilter", "~@privileged @resources")]),
    ["SystemCallErrorNumber", "EPERM"],
    ["UMask", "0077"],
  ];
}

function timerText({ id, root, timer }: UnitRequest, names: UnitNames): string {
  const { on_calendar: calendar = [], on_boot: boot, on_unit_active: active } = timer ?? {};
  const { randomized_delay: delay, accuracy, persistent } = timer ?? {};
  if (calendar.length === 0 && boot === undefined && active === undefined) {
    throw new Failure("manifest_invalid", `add-on ${quoted(id)} runs by a timer and nothing says when`, {
      hint: "say it in waybill.manifest or in a .timer unit of the bundle, or with --on-calendar",
    });
  }
  return unitText(root, [
    section("Unit", line("Description", `When add-on ${id} runs`)),
    [
      "Timer",
      ["Unit", names.service],
      ...calendar.map((when) => line("OnCalendar", when)),
      ...(boot === undefined ? [] : [line("OnBootSec", boot)]),
      ...(active === undefined ? [] : [line("OnUnitActiveSec", active), line("OnActiveSec", "0")]),
      // A fleet that does the same thing in the same second is an attack on whatever it asks.
      ["RandomizedDelaySec", delay ?? (calendar.length > 0 ? "30" : "0")],
      ...(accuracy === undefined ? [] : [line("AccuracySec", accuracy)]),
      ...(calendar.length > 0 ? [line("Persistent", persistent === false ? "no" : "yes")] : []),
    ],
    section("Install", line("WantedBy", "timers.target")),
  ]);
}

/** Runs as root, and does one thing: at most one step back, if what failed is on trial. */
function rollbackText(request: UnitRequest, names: UnitNames): string {
  return unitText(request.root, [
    section("Unit", line("Description", `Puts add-on ${request.id} back when a new version of it fails`)),
    [
      "Service",
      ["Type", "oneshot"],
      [
        "ExecStart",
        commandLine(request, ["addon", "rollback", request.id, "--automatic", names.service], []),
      ],
      ["ProtectHome", "yes"],
      ["PrivateTmp", "yes"],
      ["NoNewPrivileges", "yes"],
      ["UMask", "0022"],
    ],
  ]);
}

function commandLine(request: UnitRequest, words: readonly string[], args: readonly string[]): string {
  const { waybill, root, layout } = request;
  const all = [
    waybill,
    ...words,
    "--root",
    root,
    "--layout",
    layout,
    ...(args.length > 0 ? ["--", ...args] : []),
  ];
  return all.map(execWord).join(" ");
}

/** One word of `ExecStart=`: nothing in it is a specifier, a variable or a quote. */
export function execWord(text: string): string {
  if (/[\p{Cc}]/u.test(text)) throw new Failure("unit_unsafe", `${quoted(text, 60)} has a control character`);
  const plain = text.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[A-Za-z0-9_@+=:,./%$-]+$/u.test(plain)) return plain;
  return `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function pathText(path: string): string {
  if (/[\p{Cc}\s:"'\\]/u.test(path)) {
    throw new Failure(
      "unit_unsafe",
      `${quoted(path, 200)} cannot stand in a unit; wanted a path without spaces`,
    );
  }
  return path.replaceAll("%", "%%");
}

type Line = readonly [string, string];
type Section = readonly [string, ...Line[]];

function line(name: string, value: string): Line {
  return [name, value];
}

function section(name: string, ...lines: Line[]): Section {
  return [name, ...lines];
}

/** The second line: two roots of one host may have an add-on of the same name, and its units have one name. */
export function rootMark(root: string): string {
  return `# Root: ${JSON.stringify(root)}`;
}

function unitText(root: string, sections: readonly Section[]): string {
  const texts = sections.map(([name, ...lines]) =>
    [`[${name}]`, ...lines.map(([key, value]) => `${key}=${value}`), ""].join("\n"),
  );
  return [MARK, rootMark(root), ...texts].join("\n");
}
