import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileCapabilities, setFileCapabilities } from "../../../src/host/file-capabilities.ts";
import { Host } from "../host.ts";
import { PROGRAM, runProgram } from "../../support/binary.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const isRoot = process.geteuid?.() === 0;
describe.skipIf(!isRoot)("capabilities of a file", () => {
  test("are what was asked for, and nothing else", () => {
    using folder = temporaryFolder();
    const path = folder.at("program");
    copyFileSync("/bin/true", path);
    expect(fileCapabilities(path)).toEqual([]);
    for (const names of [["cap_net_raw"], ["cap_bpf", "cap_net_bind_service", "cap_perfmon"], []]) {
      setFileCapabilities(path, names);
      expect(fileCapabilities(path)).toEqual(names);
    }
    expect(() => setFileCapabilities(path, ["cap_sys_admin"])).toThrow(/no capability of an add-on/u);
    expect(fileCapabilities(path)).toEqual([]);
  });

  test("case 90: are there when the program is staged, given again when they are lost, and taken away", async () => {
    using host = new Host();
    const entry = host.program("sensor", "1", undefined, { os_capabilities: [" CAP_NET_RAW ", "cap_bpf"] });
    host.assign(entry);
    expect((await host.stage()).document).toMatchObject({ warnings: [], addons: [{ outcome: "staged" }] });
    const path = host.path("sensor", "versions", "1", "sensor");
    expect(fileCapabilities(path)).toEqual(["cap_bpf", "cap_net_raw"]);
    // A write takes them away, and what is written are the same bytes.
    const bytes = readFileSync(path);
    writeFileSync(path, bytes);
    chmodSync(path, 0o755);
    expect(fileCapabilities(path)).toEqual([]);
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged" }]);
    expect(fileCapabilities(path)).toEqual(["cap_bpf", "cap_net_raw"]);
    host.assign({ ...entry, os_capabilities: [] });
    await host.stage();
    expect(fileCapabilities(path)).toEqual([]);
  });

  test("case 90: are refused where no_new_privs voids them, and what ran goes on", async () => {
    using host = new Host();
    host.assign(host.program("sensor", "1"));
    await host.stage();
    host.assign(host.program("sensor", "2", "#!/bin/sh\necho 2\n", { os_capabilities: ["cap_net_raw"] }));
    const { code, stdout } = await runProgram(["setpriv", "--no-new-privs", ...PROGRAM, ...host.arguments()]);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      addons: [{ outcome: "kept_last_known_good", version: "1", error: { code: "capability_unavailable" } }],
    });
  });

  test("case 90: are refused on a file system that is mounted nosuid", async () => {
    using host = new Host();
    using folder = temporaryFolder();
    host.assign(host.program("sensor", "1", undefined, { os_capabilities: ["cap_net_raw"] }));
    const words = [
      ...PROGRAM,
      ...host.arguments().map((word) => (word === host.root ? join(folder.path, "root") : word)),
    ];
    const line = 'mount -t tmpfs -o nosuid,mode=755 tmpfs "$0" && exec "$@"';
    const { code, stdout } = await runProgram([
      "unshare",
      "--mount",
      "/bin/sh",
      "-c",
      line,
      folder.path,
      ...words,
    ]);
    expect({ code, addons: JSON.parse(stdout).addons }).toMatchObject({
      code: 5,
      addons: [{ outcome: "skipped", error: { code: "capability_unavailable" } }],
    });
  });
});
