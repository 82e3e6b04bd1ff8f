import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Host } from "../host.ts";

async function staged(files: Record<string, string>, more: Record<string, unknown> = {}): Promise<Host> {
  const host = new Host();
  const folder = join(host.home, "bundle");
  const all = { sensor: "#!/bin/sh\necho up\n", ...files };
  await Bun.$`mkdir -p ${folder}`.quiet();
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  await Bun.$`tar --format=ustar -czf ${host.home}/bundle.tar.gz ${Object.keys(all)}`.cwd(folder).quiet();
  const bytes = await Bun.file(join(host.home, "bundle.tar.gz")).bytes();
  host.assign(host.program("sensor", "1.0.0", bytes, { supervision: "systemd-service", ...more }));
  expect((await host.stage()).document.addons[0]).toMatchObject({ outcome: "staged" });
  return host;
}

type Units = { name: string; text: string }[];

describe("addon unit", () => {
  test("prints what the manifest and the assignment say, and writes nothing", async () => {
    const manifest = { service: { wait_for_network: true, stop_sec: 7 } };
    using host = await staged(
      { "waybill.manifest": JSON.stringify(manifest) },
      { os_capabilities: ["CAP_NET_RAW"], resources: { memory_max_bytes: 1_000_000, cpu_max_percent: 0 } },
    );
    const { exit, document } = await host.addon("unit", ["sensor", "--waybill", "/usr/bin/waybill"]);
    expect(exit).toBe(0);
    const [service] = document["units"] as Units;
    expect(service?.name).toBe("waybill-addon-sensor.service");
    for (const line of [
      "TimeoutStopSec=7",
      "After=network-online.target",
      "AmbientCapabilities=CAP_NET_RAW",
      "MemoryMax=1000000",
    ])
      expect(service?.text.split("\n")).toContain(line);
    expect(service?.text).toContain("ExecStart=/usr/bin/waybill addon exec sensor --root");
    expect(readdirSync(host.home).toSorted()).toEqual([
      "assignments.json",
      "bundle",
      "bundle.tar.gz",
      "root",
      "store",
    ]);
  });

  test("takes the arguments and the times of the units in a bundle", async () => {
    using host = await staged(
      {
        "x.service": "[Service]\nType=oneshot\nExecStart=/opt/sensor --report\n",
        "x.timer": "[Timer]\nOnCalendar=daily\n",
      },
      { supervision: "systemd_timer" },
    );
    const { exit, document } = await host.addon("unit", ["sensor"]);
    const units = document["units"] as Units;
    expect(exit).toBe(0);
    expect(units.map(({ name }) => name)).toContain("waybill-addon-sensor.timer");
    expect(units[0]?.text).toContain("-- --report\n");
    expect(units[1]?.text).toContain("\nOnCalendar=daily\n");
  });

  const refused: [string, Record<string, string>, Record<string, unknown>, string][] = [
    ["a bundled unit that is root", { "x.service": "[Service]\nUser=root\n" }, {}, "unit_unsafe"],
    ["two services", { "x.service": "", "y.service": "" }, {}, "unit_unsafe"],
    ["a bundled socket", { "x.socket": "[Socket]\n" }, {}, "unit_unsafe"],
    [
      "a manifest that says more than is known",
      { "waybill.manifest": '{"service":{"user":"x","sudo":true}}' },
      {},
      "manifest_invalid",
    ],
    ["a manifest for root", { "waybill.manifest": '{"service":{"user":"root"}}' }, {}, "manifest_invalid"],
    ["a manifest that is none", { "waybill.manifest": "[]" }, {}, "manifest_invalid"],
    ["a timer without a time", {}, { supervision: "systemd_timer" }, "manifest_invalid"],
    ["a sidecar", {}, { supervision: "agent_sidecar" }, "supervision_unsupported"],
  ];
  test.each(refused)("refuses %s", async (_name, files, more, code) => {
    using host = await staged(files, more);
    const { exit, document } = await host.addon("unit", ["sensor"]);
    expect({ exit, code: (document["error"] as { code: string }).code }).toEqual({ exit: 5, code });
  });

  test("is made from bytes that were read again", async () => {
    using host = await staged({ "waybill.manifest": "{}" });
    writeFileSync(
      host.path("sensor", "versions", "1.0.0", "waybill.manifest"),
      '{"service":{"user":"games"}}',
    );
    const { exit, document } = await host.addon("unit", ["sensor"]);
    expect({ exit, code: (document["error"] as { code: string }).code }).toEqual({
      exit: 6,
      code: "hash_mismatch",
    });
  });

  test("goes on with what was chosen before, if nobody else could have written that", async () => {
    using host = await staged({});
    const note = host.path("sensor", ".waybill-unit.json");
    writeFileSync(
      note,
      JSON.stringify({ waybill: "/opt/chosen", directory: "/x", onCalendar: [], started: "" }),
    );
    const startsOf = async (): Promise<string | undefined> => {
      const { document } = await host.addon("unit", ["sensor"]);
      return /^ExecStart=(\S+)/mu.exec((document["units"] as Units)[0]?.text ?? "")?.[1];
    };
    chmodSync(note, 0o600);
    expect(await startsOf()).toBe("/opt/chosen");
    chmodSync(note, 0o666);
    expect(await startsOf()).not.toBe("/opt/chosen");
  });

  test("has names of its own alone", async () => {
    using host = await staged({});
    for (const id of ["../ssh", "a b"]) {
      const { exit, document } = await host.addon("unit", [id, "--uninstall"]);
      expect({ exit, code: (document["error"] as { code: string }).code }).toEqual({
        exit: 5,
        code: "unsafe_path",
      });
    }
  });

  test.skipIf(existsSync("/run/systemd/system"))(
    "case 84: says that a host has no systemd before anything is written",
    async () => {
      using host = await staged({});
      const units = join(host.home, "units");
      for (const what of ["--install", "--uninstall"]) {
        const { exit, document } = await host.addon("unit", ["sensor", what, "--unit-dir", units]);
        expect({ exit, code: (document["error"] as { code: string }).code }).toEqual({
          exit: 7,
          code: "systemd_unavailable",
        });
      }
      expect(existsSync(units)).toBe(false);
    },
  );
});
