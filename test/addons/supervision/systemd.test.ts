import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../../src/base/hashing.ts";
import { BINARY, type Finished } from "../../support/binary.ts";
import { checkDocument } from "../../support/schemas.ts";
import { HAS_SYSTEMD, startSystemdLab, type SystemdLab } from "../../support/systemd-lab.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "" && HAS_SYSTEMD && BINARY !== null;
const UP = "#!/bin/sh\necho up; exec sleep 100000\n";
const CRASHES = "#!/bin/sh\nexit 3\n";

describe.skipIf(!FULL)("units under systemd", () => {
  let lab: SystemdLab;
  const waybill = (...args: string[]): Promise<Finished> => lab.run("/lab/waybill", ...args);

  beforeAll(async () => {
    lab = await startSystemdLab();
    copyFileSync(BINARY ?? "", join(lab.shared, "waybill"));
    mkdirSync(join(lab.shared, "store"));
  });
  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  /** Assigns one version of one add-on, alone on its root, and stages it. */
  async function stage(
    id: string,
    version: string,
    program: string,
    more: Record<string, unknown> = {},
  ): Promise<void> {
    const key = sha256Of(program);
    writeFileSync(join(lab.shared, "store", key), program);
    const entry = {
      ...{ addon_id: id, version, enabled: true, supervision: "systemd_service", binary_path: id },
      ...{ artifact_object_key: key, artifact_sha256: key, ...more },
    };
    writeFileSync(join(lab.shared, "list.json"), JSON.stringify({ addons: [entry] }));
    const flags = ["--assignments", "/lab/list.json", "--store", "file:/lab/store", "--allow-unsigned", id];
    await waybill("addon-stage", "--root", `/var/lib/${id}`, ...flags);
  }
  const unit = (id: string, ...flags: string[]): Promise<Finished> =>
    waybill("addon", "unit", id, "--root", `/var/lib/${id}`, "--json", ...flags);
  const answer = (finished: Finished): Record<string, unknown> => {
    checkDocument(finished.stdout);
    return { exit: finished.code, ...JSON.parse(finished.stdout) };
  };
  const active = async (id: string): Promise<string> => {
    const { stdout } = await waybill("addon", "status", id, "--root", `/var/lib/${id}`, "--json");
    return (JSON.parse(stdout) as { addons: { has: { version: string } }[] }).addons[0]?.has.version ?? "";
  };
  async function until(what: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (await what()) return;
      await Bun.sleep(100);
    }
    throw new Error("it did not come to pass within 30 s");
  }

  test("a service is installed, runs as a user of its own with what it was allowed, and a second time nothing is done", async () => {
    await stage("first", "1", UP, { os_capabilities: ["cap_net_raw"], config_json: { a: 1 } });
    expect(answer(await unit("first", "--install"))).toMatchObject({ exit: 0, started: true });
    const pid = await lab.show("waybill-addon-first.service", "MainPID");
    const status = (await lab.run("/bin/cat", `/proc/${pid}/status`)).stdout;
    expect(status).toContain("CapEff:\t0000000000002000");
    expect(status).toContain("CapBnd:\t0000000000002000");
    expect(status).toContain("NoNewPrivs:\t1");
    expect(status).toContain("Seccomp:\t2");
    expect(Number(/^Uid:\t(\d+)/mu.exec(status)?.[1])).toBeGreaterThan(60_000);
    expect(
      (await lab.run("/bin/cat", "/var/lib/private/waybill-addons/first/.waybill-config.json")).stdout,
    ).toBe('{"a":1}\n');
    expect(answer(await unit("first", "--install"))).toMatchObject({ exit: 0, started: false, changed: [] });
    expect(await lab.show("waybill-addon-first.service", "MainPID")).toBe(pid);
  }, 60_000);

  test("case 80: an upgrade starts the new one; a crash loop goes back once, and the version is not taken again", async () => {
    await stage("second", "1", UP);
    await unit("second", "--install");
    await stage("second", "1", UP);
    await stage("second", "2", UP.replace("up", "up 2"));
    expect(answer(await unit("second", "--install"))).toMatchObject({ exit: 0, started: true });
    await stage("second", "2", UP.replace("up", "up 2"));
    await stage("second", "3", CRASHES);
    await lab.run("/bin/systemctl", "restart", "waybill-addon-second.service");
    await until(async () => (await active("second")) === "2");
    await until(async () => (await lab.show("waybill-addon-second.service", "SubState")) === "running");
    await stage("second", "3", CRASHES);
    expect(await active("second")).toBe("2");
  }, 90_000);

  test("a version that does not hold is taken back out by --install, files and all", async () => {
    await stage("third", "1", CRASHES);
    const failed = answer(await unit("third", "--install"));
    expect(failed).toMatchObject({ exit: 13, error: { code: "unit_failed" } });
    expect((await lab.run("/bin/ls", "/etc/systemd/system")).stdout).not.toContain("third");
    expect(await lab.show("waybill-addon-third.service", "LoadState")).toBe("not-found");
  }, 60_000);

  test("case 80: what systemd cannot execute (203) leaves the units as they were", async () => {
    await stage("fourth", "1", UP);
    await unit("fourth", "--install");
    const before = await lab.run("/bin/cat", "/etc/systemd/system/waybill-addon-fourth.service");
    expect(answer(await unit("fourth", "--install", "--waybill", "/nonexistent/waybill"))).toMatchObject({
      exit: 13,
    });
    expect(await lab.run("/bin/cat", "/etc/systemd/system/waybill-addon-fourth.service")).toEqual(before);
    expect(await lab.show("waybill-addon-fourth.service", "SubState")).toBe("running");
    expect(await lab.show("waybill-addon-fourth.service", "UnitFileState")).toBe("enabled");
  }, 60_000);

  test("case 83: a unit at its start limit is started by the next install", async () => {
    await stage("fifth", "1", UP);
    await unit("fifth", "--install");
    for (let times = 0; times < 8; times++)
      await lab.run("/bin/systemctl", "restart", "waybill-addon-fifth.service");
    expect(await lab.show("waybill-addon-fifth.service", "ActiveState")).toBe("failed");
    expect(answer(await unit("fifth", "--install"))).toMatchObject({ exit: 0, started: true });
  }, 60_000);

  test("case 85: an operator's mask is respected, and so is a unit of somebody else", async () => {
    await stage("sixth", "1", UP);
    await lab.run("/bin/systemctl", "mask", "waybill-addon-sixth.service");
    expect(answer(await unit("sixth", "--install"))).toMatchObject({
      exit: 5,
      error: { code: "unit_masked" },
    });
    await lab.run("/bin/systemctl", "unmask", "waybill-addon-sixth.service");
    await lab.run(
      "/bin/sh",
      "-c",
      "printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/waybill-addon-sixth.service",
    );
    expect(answer(await unit("sixth", "--install"))).toMatchObject({
      exit: 5,
      error: { code: "unit_foreign" },
    });
    expect(answer(await unit("sixth", "--uninstall"))).toMatchObject({
      exit: 0,
      removed: [],
      kept: ["waybill-addon-sixth.service"],
    });
  }, 60_000);

  test("case 85: a timer runs its job, and a drop-in is named and kept", async () => {
    await stage("seventh", "1", '#!/bin/sh\necho ran >>"$WAYBILL_ADDON_STATE_DIR/ran"\n', {
      supervision: "systemd_timer",
    });
    await lab.run(
      "/bin/sh",
      "-c",
      "mkdir -p /etc/systemd/system/waybill-addon-seventh.timer.d; printf '[Timer]\\nAccuracySec=1\\nRandomizedDelaySec=0\\n' >/etc/systemd/system/waybill-addon-seventh.timer.d/host.conf",
    );
    const installed = answer(await unit("seventh", "--install", "--on-calendar", "*:*:0/2"));
    expect(installed).toMatchObject({
      exit: 0,
      drop_ins: ["/etc/systemd/system/waybill-addon-seventh.timer.d/host.conf"],
    });
    expect(await lab.show("waybill-addon-seventh.timer", "ActiveState")).toBe("active");
    await until(
      async () => (await lab.run("/bin/cat", "/var/lib/private/waybill-addons/seventh/ran")).stdout !== "",
    );
  }, 60_000);

  /** systemctl as waybill finds it: at these words, once, it kills who called it and does nothing. */
  async function killedAt(words: string, act: () => Promise<Finished>): Promise<void> {
    const script = `#!/bin/sh\ncase "$*" in *"${words}"*) [ -e /lab/killed ] || { : >/lab/killed; kill -KILL $PPID; exit 1; };; esac\nexec /bin/systemctl "$@"\n`;
    writeFileSync(join(lab.shared, "systemctl"), script, { mode: 0o755 });
    rmSync(join(lab.shared, "killed"), { force: true });
    await lab.run("/bin/cp", "/lab/systemctl", "/usr/local/sbin/systemctl");
    await lab.run("/bin/mount", "--bind", "/usr/local/sbin", "/usr/sbin");
    try {
      await act();
      expect(existsSync(join(lab.shared, "killed"))).toBe(true);
    } finally {
      await lab.run("/bin/umount", "/usr/sbin");
    }
  }

  const moments: [string, string][] = [
    ["case 11: with its files written, before daemon-reload", "daemon-reload"],
    ["case 12: before it is enabled", "enable waybill-addon-"],
    ["case 12: between enable and restart", "restart waybill-addon-"],
  ];
  test.each(moments)(
    "an install that is killed, %s",
    async (name, words) => {
      const id = `k${moments.findIndex(([one]) => one === name)}`;
      const service = `waybill-addon-${id}.service`;
      for (const version of ["1", "2"]) {
        await stage(id, version, UP.replace("up", `up ${version}`), { args: [version] });
        const before = await lab.show(service, "MainPID");
        await killedAt(words, () => unit(id, "--install"));
        // What ran goes on; nothing ran before the first one.
        expect(await lab.show(service, "MainPID")).toBe(before);
        expect(await active(id)).toBe(version);
        expect(answer(await unit(id, "--install"))).toMatchObject({ exit: 0, started: true });
        const pid = await lab.show(service, "MainPID");
        expect((await lab.run("/bin/cat", `/proc/${pid}/environ`)).stdout).toContain(
          `WAYBILL_ADDON_VERSION=${version}\0`,
        );
        expect(await lab.show(service, "NeedDaemonReload")).toBe("no");
        expect(await lab.show(service, "UnitFileState")).toBe("enabled");
        expect(answer(await unit(id, "--install"))).toMatchObject({ exit: 0, started: false, changed: [] });
      }
      await killedAt("daemon-reload", () => unit(id, "--uninstall"));
      await unit(id, "--uninstall");
      expect(await lab.show(service, "LoadState")).toBe("not-found");
      expect((await lab.run("/bin/ls", "/etc/systemd/system")).stdout).not.toContain(id);
    },
    120_000,
  );

  test("uninstalling stops and removes, and a second time there is nothing to do", async () => {
    await stage("eighth", "1", UP);
    await unit("eighth", "--install");
    expect(answer(await unit("eighth", "--uninstall"))).toMatchObject({
      exit: 0,
      removed: ["waybill-addon-eighth.service", "waybill-rollback-eighth.service"],
    });
    expect(await lab.show("waybill-addon-eighth.service", "LoadState")).toBe("not-found");
    expect(answer(await unit("eighth", "--uninstall"))).toMatchObject({ exit: 0, removed: [], kept: [] });
  }, 60_000);
});
