import { Failure } from "../../base/failure.ts";
import { quoted } from "../../base/printable.ts";
import { isServiceUser, isTimeText, type ServiceWishes, type TimerWishes } from "./manifest.ts";

/** What a unit of a bundle wishes for; the unit itself is never installed. */
export type UnitWishes = {
  readonly service: ServiceWishes;
  readonly timer: TimerWishes | null;
  /** Arguments of `ExecStart=`. */
  readonly args: readonly string[];
};

type Draft = {
  readonly service: Record<string, unknown>;
  readonly timer: Record<string, unknown>;
  args: readonly string[] | null;
};
/** Takes a value into the draft, or says what was wanted. */
type Take = (value: string, draft: Draft, binaryName: string) => string | null;

/**
 * Every directive that a bundled unit may have. What is not here is refused, and not dropped: a unit without a line
 * that its author relied on is another unit. `ExecStart=` is only looked at: what starts is the verified program.
 */
const DIRECTIVES: Readonly<Record<string, Readonly<Record<string, Take>>>> = {
  Unit: {
    Description: matches(/^[^\p{Cc}%\\]{0,200}$/u, "plain text"),
    Documentation: matches(/^(?:https:\/\/|man:)[!-~ ]{1,300}$/u, "an https: or man: reference"),
    After: network,
    Wants: network,
  },
  Service: {
    Type: (value, draft) =>
      ["simple", "exec", "notify", "oneshot"].includes(value)
        ? keep(draft.service, "type", value === "notify" ? "notify" : "exec")
        : "simple, exec, notify or oneshot",
    ExecStart: execStart,
    User: (value, draft) =>
      isServiceUser(value) ? keep(draft.service, "user", value) : "a user other than root, by name",
    DynamicUser: yes,
    Restart: (value, draft) =>
      ["on-failure", "always", "no"].includes(value)
        ? keep(draft.service, "restart", value)
        : "on-failure, always or no",
    RestartSec: seconds("restart_sec"),
    TimeoutStartSec: seconds("start_sec"),
    TimeoutStopSec: seconds("stop_sec"),
    WatchdogSec: seconds("watchdog_sec"),
    RestrictAddressFamilies: (value, draft) =>
      value.split(/\s+/u).every((family) => /^AF_(?:UNIX|INET6?|NETLINK|PACKET)$/u.test(family))
        ? add(draft.service, "address_families", value.split(/\s+/u))
        : "AF_UNIX, AF_INET, AF_INET6, AF_NETLINK or AF_PACKET",
    // Ours are as strict or stricter.
    NoNewPrivileges: yes,
    PrivateTmp: yes,
    PrivateDevices: yes,
    ProtectHome: yes,
    ProtectKernelTunables: yes,
    ProtectKernelModules: yes,
    ProtectControlGroups: yes,
    RestrictSUIDSGID: yes,
    LockPersonality: yes,
    ProtectSystem: matches(/^(?:yes|true|full|strict)$/u, "strict"),
  },
  Timer: {
    OnCalendar: (value, draft) =>
      isTimeText(value) ? add(draft.timer, "on_calendar", [value]) : "a time as in systemd.time",
    OnBootSec: timed("on_boot"),
    OnUnitActiveSec: timed("on_unit_active"),
    RandomizedDelaySec: timed("randomized_delay"),
    AccuracySec: timed("accuracy"),
    Persistent: (value, draft) =>
      /^(?:yes|true|no|false)$/u.test(value)
        ? keep(draft.timer, "persistent", value === "yes" || value === "true")
        : "yes or no",
  },
  Install: { WantedBy: matches(/^(?:multi-user|timers)\.target$/u, "multi-user.target or timers.target") },
};

/** What the text of a unit wishes for. Throws Failure `unit_unsafe` with every line that is not on the list. */
export function readBundledUnit(name: string, text: string, binaryName: string): UnitWishes {
  const draft: Draft = { service: {}, timer: {}, args: null };
  const problems: string[] = [];
  let section = "";
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    const problem = raw.trimEnd().endsWith("\\")
      ? "is continued on the next line"
      : lineProblem(line, section, draft, binaryName);
    section = sectionNamed(line) ?? section;
    if (problem !== null) problems.push(`line ${index + 1} ${problem}`);
  }
  if (problems.length > 0) {
    throw new Failure("unit_unsafe", `unit ${quoted(name)} is refused: ${problems.slice(0, 5).join("; ")}`, {
      hint: "say what the service needs in a file waybill.manifest of the bundle, or leave the line out",
    });
  }
  const timer = Object.keys(draft.timer).length === 0 ? null : draft.timer;
  return { service: draft.service, timer, args: draft.args ?? [] };
}

function sectionNamed(line: string): string | undefined {
  return /^\[([A-Za-z]+)\]$/u.exec(line)?.[1];
}

function lineProblem(line: string, section: string, draft: Draft, binaryName: string): string | null {
  if (line === "" || line.startsWith("#") || line.startsWith(";")) return null;
  const header = sectionNamed(line);
  if (header !== undefined) {
    return Object.hasOwn(DIRECTIVES, header) ? null : `opens ${quoted(line, 60)}, which no add-on has`;
  }
  const [, key = "", value = ""] = /^([A-Za-z]+)\s*=\s*(.*)$/u.exec(line) ?? [];
  const known = DIRECTIVES[section];
  const take = known !== undefined && Object.hasOwn(known, key) ? known[key] : undefined;
  if (take === undefined) return `has ${quoted(line, 80)}, which is not on the list`;
  const wanted = take(value, draft, binaryName);
  return wanted === null ? null : `has ${quoted(line, 80)}; wanted ${wanted}`;
}

/** A second one that says something else would leave one of the two out. */
function keep(into: Record<string, unknown>, name: string, value: unknown): string | null {
  if (Object.hasOwn(into, name) && into[name] !== value) return "one such line";
  into[name] = value;
  return null;
}

/** For what may be said in several lines, which count together. */
function add(into: Record<string, unknown>, name: string, values: readonly string[]): null {
  const before = into[name];
  into[name] = [...(Array.isArray(before) ? before : []), ...values];
  return null;
}

function matches(pattern: RegExp, wanted: string): Take {
  return (value) => (pattern.test(value) ? null : wanted);
}

function yes(value: string): string | null {
  return /^(?:yes|true|on|1)$/u.test(value) ? null : "yes";
}

function network(value: string, draft: Draft): string | null {
  const targets = value.split(/\s+/u);
  if (!targets.every((one) => one === "network.target" || one === "network-online.target")) {
    return "network.target or network-online.target";
  }
  return keep(draft.service, "wait_for_network", true);
}

function seconds(name: string): Take {
  return (value, draft) => {
    const found = /^(\d{1,5})s?$/u.exec(value)?.[1];
    if (found === undefined || Number(found) > 86_400) return "a whole number of seconds";
    return keep(draft.service, name, Number(found));
  };
}

function timed(name: string): Take {
  return (value, draft) => (isTimeText(value) ? keep(draft.timer, name, value) : "a time as in systemd.time");
}

/** No prefix (`+` is root), no shell, no specifier, no variable: a path whose last part is the program, and words. */
function execStart(value: string, draft: Draft, binaryName: string): string | null {
  const wanted = `an absolute path to ${quoted(binaryName)} and plain words`;
  const [path = "", ...args] = value.split(/\s+/u);
  if (!path.startsWith("/") || path.split("/").at(-1) !== binaryName) return wanted;
  if (!args.every((word) => /^[A-Za-z0-9_@+=:,./-]+$/u.test(word))) return wanted;
  if (draft.args !== null) return "one such line";
  draft.args = args;
  return null;
}
