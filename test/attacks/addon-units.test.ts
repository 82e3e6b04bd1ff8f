import { describe, expect, test } from "bun:test";
import { readBundledUnit } from "../../src/addons/supervision/bundled-unit.ts";

const read = (text: string): unknown => readBundledUnit("sensor.service", text, "sensor");
const service = (line: string): string => `[Service]\nExecStart=/opt/sensor --once\n${line}\n`;

describe("a unit in a bundle that wants more than an add-on gets is refused whole", () => {
  test.each([
    ["root", service("User=root")],
    ["root by number", service("User=0")],
    ["root by a prefix", "[Service]\nExecStart=+/opt/sensor\n"],
    ["its privileges by a prefix", "[Service]\nExecStart=!/opt/sensor\n"],
    ["no variables by a prefix", "[Service]\nExecStart=:/opt/sensor\n"],
    ["another name by a prefix", "[Service]\nExecStart=@/opt/sensor sshd\n"],
    ["failures ignored by a prefix", "[Service]\nExecStart=-/opt/sensor\n"],
    ["another program", "[Service]\nExecStart=/bin/sh -c id\n"],
    ["a relative program", "[Service]\nExecStart=sensor\n"],
    ["a specifier", "[Service]\nExecStart=/opt/sensor %H\n"],
    ["a variable", "[Service]\nExecStart=/opt/sensor $HOME\n"],
    ["two commands", "[Service]\nExecStart=/opt/sensor ; /bin/id\n"],
    ["a quoted word", '[Service]\nExecStart=/opt/sensor "a b"\n'],
    ["a command before it", service("ExecStartPre=/bin/id")],
    ["a command after it", service("ExecStopPost=/bin/id")],
    ["foreign variables", service("EnvironmentFile=/etc/shadow")],
    ["variables", service("Environment=LD_PRELOAD=/tmp/x.so")],
    ["the host's folders", service("BindPaths=/:/host")],
    ["capabilities", service("AmbientCapabilities=CAP_SYS_ADMIN")],
    ["less protection", service("NoNewPrivileges=no")],
    ["less protection still", service("ProtectSystem=no")],
    ["a continued line", "[Service]\nUser=nobody\\\nExecStart=/opt/sensor\n"],
    [
      "a continued line that is harmless by itself",
      "[Unit]\nDocumentation=https://a.example/\\\n[Service]\n",
    ],
    ["another name", "[Install]\nAlias=sshd.service\n"],
    ["to be wanted by everything", "[Install]\nWantedBy=sysinit.target\n"],
    ["to be required", "[Install]\nRequiredBy=multi-user.target\n"],
    ["another unit's end", "[Unit]\nConflicts=ssh.service\n"],
    ["a unit on failure", "[Unit]\nOnFailure=emergency.target\n"],
    ["a socket", "[Socket]\nListenStream=22\n"],
    ["a section that is none", "[X-Foo]\nBar=1\n"],
    ["a timer for another unit", "[Timer]\nUnit=reboot.service\n"],
    ["a name of Object", "[Service]\nconstructor=1\n"],
    ["a line that is none", "[Service]\nUser\n"],
    ["a line before any section", "User=nobody\n"],
    ["a time with a line break", "[Timer]\nOnCalendar=hourly\u0085Unit=reboot.service\n"],
    ["a time with a specifier", "[Timer]\nOnCalendar=%n\n"],
  ])("case 47: %s", (_name, text) => {
    expect(() => read(text)).toThrow(/is refused: line \d+ /u);
  });

  test("and every line of it is named", () => {
    expect(() => read("[Service]\nUser=root\nGroup=root\n")).toThrow(/line 2 .*; line 3 /u);
  });
});

test("a harmless one is read, and its wishes are kept", () => {
  const text = `# ours
[Unit]
Description=The sensor
After=network-online.target

[Service]
Type=notify
ExecStart=/opt/sensor --listen=127.0.0.1:9 -v
User=sensor
Restart=always
RestartSec=5
WatchdogSec=30s
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
`;
  expect(read(text)).toEqual({
    args: ["--listen=127.0.0.1:9", "-v"],
    service: {
      wait_for_network: true,
      type: "notify",
      user: "sensor",
      restart: "always",
      restart_sec: 5,
      watchdog_sec: 30,
    },
    timer: null,
  });
  expect(
    readBundledUnit("t.timer", "[Timer]\nOnCalendar=hourly\nOnCalendar=*-*-* 02:00:00\nPersistent=no\n", "t"),
  ).toEqual({
    args: [],
    service: {},
    timer: { on_calendar: ["hourly", "*-*-* 02:00:00"], persistent: false },
  });
});
