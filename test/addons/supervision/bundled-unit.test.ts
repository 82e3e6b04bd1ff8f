import { describe, expect, test } from "bun:test";
import { readBundledUnit, type UnitWishes } from "../../../src/addons/supervision/bundled-unit.ts";
import { refusalOf } from "../../trust/refusal.ts";

function read(...lines: string[]): UnitWishes {
  return readBundledUnit("sensor.service", lines.join("\n"), "sensor");
}

/** What is said against one line of a section; "" for nothing. */
function against(section: string, line: string): string {
  try {
    read(`[${section}]`, line);
    return "";
  } catch {
    const { message } = refusalOf(() => read(`[${section}]`, line));
    return message.replace('unit "sensor.service" is refused: line 2 has ', "");
  }
}

const NOTHING: UnitWishes = { service: {}, timer: null, args: [] };

describe("a unit of a bundle", () => {
  test.each([
    ["nothing", []],
    ["comments and white space", ["# a", "; b", "", "  \t"]],
    ["sections alone", ["[Unit]", "[Service]", "[Timer]", "[Install]"]],
    ["what ours is anyhow", ["[Service]", "PrivateTmp=yes", "ProtectSystem = full"]],
  ])("that says %s wishes for nothing", (_what, lines) => {
    expect(read(...lines)).toEqual(NOTHING);
  });

  test("is read whole", () => {
    const wishes = read(
      "[Unit]",
      "Description=A sensor, no: the sensor",
      "Documentation=https://example.com/a man:sensor(8)",
      "Documentation=man:sensor(8)",
      "After=network.target network-online.target",
      "Wants=network-online.target",
      "",
      "  [Service]  ",
      "Type=notify",
      "ExecStart=/opt/any/where/sensor --port 80 a_b@c+d=e:f,g./h-i",
      "User=sensor",
      "Restart=always",
      "RestartSec=1",
      "TimeoutStartSec=2s",
      "TimeoutStopSec=86400",
      "WatchdogSec=4",
      "RestrictAddressFamilies=AF_UNIX AF_INET  AF_INET6 AF_NETLINK AF_PACKET",
      "[Timer]",
      "OnCalendar=hourly",
      "OnCalendar=Mon *-*-* 02:00",
      "OnBootSec=5min",
      "OnUnitActiveSec=1h",
      "RandomizedDelaySec=30",
      "AccuracySec=1us",
      "Persistent=yes",
      "[Install]",
      "WantedBy=multi-user.target",
      "WantedBy=timers.target",
    );
    expect<object>(wishes).toEqual({
      service: {
        wait_for_network: true,
        type: "notify",
        user: "sensor",
        restart: "always",
        restart_sec: 1,
        start_sec: 2,
        stop_sec: 86_400,
        watchdog_sec: 4,
        address_families: ["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"],
      },
      timer: {
        on_calendar: ["hourly", "Mon *-*-* 02:00"],
        on_boot: "5min",
        on_unit_active: "1h",
        randomized_delay: "30",
        accuracy: "1us",
        persistent: true,
      },
      args: ["--port", "80", "a_b@c+d=e:f,g./h-i"],
    });
  });

  test("may name families and times in several lines, and says everything else once", () => {
    const twice = read(
      "[Service]",
      ...["RestrictAddressFamilies=AF_UNIX AF_INET", "RestrictAddressFamilies=AF_INET6"],
      ...["User=sensor", "User=sensor"],
    );
    expect<object>(twice.service).toEqual({
      user: "sensor",
      address_families: ["AF_UNIX", "AF_INET", "AF_INET6"],
    });
    const lines: [string, string, string][] = [
      ["Service", "ExecStart=/a/sensor one", "ExecStart=/a/sensor two"],
      ["Service", "ExecStart=/a/sensor", "ExecStart=/a/sensor"],
      ["Service", "Type=notify", "Type=exec"],
      ["Service", "RestartSec=1", "RestartSec=2"],
      ["Timer", "OnBootSec=1min", "OnBootSec=2min"],
    ];
    for (const [section, first, second] of lines) {
      const { code, message } = refusalOf(() => read(`[${section}]`, first, second));
      expect(code).toBe("unit_unsafe");
      expect(message).toContain(`line 3 has "${second}"; wanted one such line`);
    }
  });

  test.each([
    ["simple", "exec"],
    ["exec", "exec"],
    ["oneshot", "exec"],
    ["notify", "notify"],
  ] as const)("of type %p is one of type %p", (said, type) => {
    expect(read("[Service]", `Type=${said}`).service).toEqual({ type });
  });

  test.each(["on-failure", "always", "no"] as const)("may restart %p", (restart) => {
    expect(read("[Service]", `Restart=${restart}`).service).toEqual({ restart });
  });

  test.each([
    ["yes", true],
    ["true", true],
    ["no", false],
    ["false", false],
  ])("is persistent, says %p: %p", (said, persistent) => {
    expect(read("[Timer]", `Persistent=${said}`).timer).toEqual({ persistent });
  });

  test.each([
    ..."DynamicUser NoNewPrivileges PrivateTmp PrivateDevices ProtectHome ProtectKernelTunables".split(" "),
    ..."ProtectKernelModules ProtectControlGroups RestrictSUIDSGID LockPersonality".split(" "),
  ])("may ask for %s=, and may not do without", (name) => {
    expect(["yes", "true", "on", "1"].map((value) => against("Service", `${name}=${value}`))).toEqual([
      "",
      "",
      "",
      "",
    ]);
    for (const value of ["no", "yes please", "oh yes", "11", ""])
      expect(against("Service", `${name}=${value}`)).toBe(`"${name}=${value}"; wanted yes`);
  });

  test.each(["yes", "true", "full", "strict"])("may protect the system: %p", (value) => {
    expect(against("Service", `ProtectSystem=${value}`)).toBe("");
  });

  const EXEC = 'an absolute path to "sensor" and plain words';
  const families = "AF_UNIX, AF_INET, AF_INET6, AF_NETLINK or AF_PACKET";
  const network = "network.target or network-online.target";
  const time = "a time as in systemd.time";
  const user = "a user other than root, by name";
  test.each<[string, string, string]>([
    ["Unit", "Description=100%", "plain text"],
    ["Unit", "Description=a\\b", "plain text"],
    ["Unit", `Description=${"a".repeat(201)}`, "plain text"],
    ["Unit", "Documentation=http://example.com", "an https: or man: reference"],
    ["Unit", "Documentation=see https://example.com", "an https: or man: reference"],
    ["Unit", "Documentation=https://", "an https: or man: reference"],
    ["Unit", "Documentation=https://example.com/\u00e9", "an https: or man: reference"],
    ["Unit", "After=network.target docker.service", network],
    ["Unit", "Wants=docker.service", network],
    ["Service", "Type=forking", "simple, exec, notify or oneshot"],
    ["Service", "User=root", user],
    ["Service", "User=0", user],
    ["Service", "Restart=on-abort", "on-failure, always or no"],
    ["Service", "RestartSec=1min", "a whole number of seconds"],
    ["Service", "RestartSec=x1", "a whole number of seconds"],
    ["Service", "RestartSec=86401", "a whole number of seconds"],
    ["Service", "RestartSec=", "a whole number of seconds"],
    ["Service", "RestrictAddressFamilies=AF_UNIX AF_VSOCK", families],
    ["Service", "RestrictAddressFamilies=~AF_UNIX", families],
    ["Service", "RestrictAddressFamilies=AF_UNIXES", families],
    ["Service", "RestrictAddressFamilies=none", families],
    ["Service", "ProtectSystem=no", "strict"],
    ["Service", "ProtectSystem=not full", "strict"],
    ["Service", "ProtectSystem=fully", "strict"],
    ["Timer", "OnCalendar=%n", time],
    ["Timer", "OnBootSec=%n", time],
    ["Timer", "Persistent=maybe", "yes or no"],
    ["Timer", "Persistent=yes and no", "yes or no"],
    ["Timer", "Persistent=not yes", "yes or no"],
    ["Install", "WantedBy=graphical.target", "multi-user.target or timers.target"],
    ["Install", "WantedBy=my-timers.target", "multi-user.target or timers.target"],
    ["Install", "WantedBy=timers.target.wants", "multi-user.target or timers.target"],
    ["Service", "ExecStart=", EXEC],
    ["Service", "ExecStart=sensor", EXEC],
    ["Service", "ExecStart=bin/sensor", EXEC],
    ["Service", "ExecStart=+/opt/sensor", EXEC],
    ["Service", "ExecStart=/bin/sh -c sensor", EXEC],
    ["Service", "ExecStart=/opt/sensor/", EXEC],
    ["Service", "ExecStart=/opt/sensor %n", EXEC],
    ["Service", "ExecStart=/opt/sensor a $HOME", EXEC],
    ["Service", "ExecStart=/opt/sensor a$HOME", EXEC],
    ["Service", "ExecStart=/opt/sensor $HOME/a", EXEC],
    ["Service", 'ExecStart=/opt/sensor "a b"', EXEC],
  ])("in [%s] may not say %p", (section, line, wanted) => {
    expect(against(section, line)).toEndWith(`; wanted ${wanted}`);
  });

  test("has a description of two hundred letters at most", () => {
    expect(against("Unit", `Description=${"a".repeat(200)}`)).toBe("");
    expect(against("Unit", "Description=")).toBe("");
  });

  test("may have no space around what it says, or some", () => {
    expect(read("[Service]", "  Type \t= \tnotify  ").service).toEqual({ type: "notify" });
  });

  const unknown = "which is not on the list";
  test.each<[string, string[], string]>([
    ["a section of its own", ["[Socket]"], 'line 1 opens "[Socket]", which no add-on has'],
    ["a section that every object has", ["[constructor]"], 'line 1 opens "[constructor]"'],
    ["a line before every section", ["Type=exec"], `line 1 has "Type=exec", ${unknown}`],
    ["a line of another section", ["[Unit]", "Type=exec"], `line 2 has "Type=exec", ${unknown}`],
    [
      "a directive that nobody knows",
      ["[Service]", "", "BindPaths=/"],
      `line 3 has "BindPaths=/", ${unknown}`,
    ],
    [
      "a directive that every object has",
      ["[Service]", "constructor=1"],
      `line 2 has "constructor=1", ${unknown}`,
    ],
    ["a name with a dot", ["[Service]", "X.Type=exec"], unknown],
    ["text that says nothing", ["[Service]", "hello"], `line 2 has "hello", ${unknown}`],
    ["a section with something behind it", ["[Service] x"], `line 1 has "[Service] x", ${unknown}`],
    ["a carriage return within a line", ["[Service]", "Type=exec\rUser=root"], unknown],
    ["something before a section", ["x [Service]"], unknown],
    ["a section whose name is none", ["[]"], unknown],
    ["a line that goes on", ["[Service]", "Type=exec \\  "], "line 2 is continued on the next line"],
    ["a comment that goes on", ["# a \\"], "line 1 is continued on the next line"],
  ])("with %s is refused", (_what, lines, problem) => {
    const refusal = refusalOf(() => read(...lines));
    expect(refusal.code).toBe("unit_unsafe");
    expect(refusal.message).toContain(problem);
  });

  test("that is wrong in six places names five", () => {
    const { message } = refusalOf(() => read("a", "b", "c", "d", "e", "f"));
    expect([message.includes("line 5"), message.includes("line 6")]).toEqual([true, false]);
  });
});
