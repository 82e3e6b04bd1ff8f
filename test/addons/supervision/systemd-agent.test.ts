import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../../src/base/hashing.ts";
import type { AddonReport } from "../../../src/addons/supervision/status-report.ts";
import { BINARY, type Finished } from "../../support/binary.ts";
import { HAS_SYSTEMD, startSystemdLab, type SystemdLab } from "../../support/systemd-lab.ts";

const FULL = (process.env["WAYBILL_FULL"] ?? "") !== "" && HAS_SYSTEMD && BINARY !== null;
const UP = "#!/bin/sh\necho up; exec sleep 100000\n";
const CRASHES = "#!/bin/sh\nexit 3\n";
/** Each `+` takes four letters in the name of a unit, which has room for 200. */
const NAMELESS = `a${"+".repeat(60)}`;
const JOB = '#!/bin/sh\necho ran >>"$WAYBILL_ADDON_STATE_DIR/ran"\n';

describe.skipIf(!FULL)("an agent that keeps units", () => {
  let lab: SystemdLab;
  beforeAll(async () => {
    lab = await startSystemdLab();
    copyFileSync(BINARY ?? "", join(lab.shared, "waybill"));
    mkdirSync(join(lab.shared, "store"));
    assign();
    await agent("one", "job", "kind", "killed", "off", "stays", "back", NAMELESS, "beside");
  });
  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  type Entry = Record<string, unknown>;
  const entry = (id: string, version: string, program: string, more: Entry = {}): Entry => {
    const key = sha256Of(program);
    writeFileSync(join(lab.shared, "store", key), program);
    return {
      ...{ addon_id: id, version, enabled: true, supervision: "systemd_service", binary_path: id },
      ...{ artifact_object_key: key, artifact_sha256: key, ...more },
    };
  };
  const assign = (...addons: Entry[]): void => {
    writeFileSync(join(lab.shared, "list.json"), JSON.stringify({ addons }));
  };
  const systemctl = (...words: string[]): Promise<Finished> => lab.run("/bin/systemctl", ...words);
  /** The agent as a service of its own, which lives on a root in the shared folder. */
  async function agent(...ids: string[]): Promise<void> {
    const words = ["/lab/waybill", "addon", "run", "--root", "/lab/root", "--assignments", "/lab/list.json"];
    const flags = ["--store", "file:/lab/store", "--interval", "500ms", "--window", "1s", "--verbose"];
    const unsigned = ids.flatMap((id) => ["--allow-unsigned", id]);
    const unit = [
      "--unit=agent",
      "--property=KillMode=process",
      "--property=Restart=always",
      "--property=StartLimitIntervalSec=0",
    ];
    const { code, stderr } = await lab.run(
      "/usr/bin/systemd-run",
      ...unit,
      "--",
      ...words,
      ...flags,
      ...unsigned,
    );
    if (code !== 0) throw new Error(stderr);
  }
  const report = (id: string): AddonReport | undefined => {
    const path = join(lab.shared, "root", "agent.json");
    if (!existsSync(path)) return undefined;
    const { addons } = JSON.parse(readFileSync(path, "utf8")) as { addons: AddonReport[] };
    return addons.find(({ addon_id: one }) => one === id);
  };
  async function until(id: string, is: (report: AddonReport) => boolean): Promise<AddonReport> {
    for (let tries = 0; tries < 900; tries++) {
      const one = report(id);
      if (one !== undefined && is(one)) return one;
      await Bun.sleep(50);
    }
    throw new Error(`never reported: ${JSON.stringify(report(id))}`);
  }
  const service = (id: string): string => `waybill-addon-${id}.service`;

  const removed = async (id: string): Promise<void> => {
    for (let tries = 0; (await lab.show(service(id), "LoadState")) !== "not-found"; tries++) {
      if (tries > 300) throw new Error(`${service(id)} is still there`);
      await Bun.sleep(50);
    }
  };

  test("an add-on that no unit can be named after, or whose specs are not to be believed, ends nothing", async () => {
    const first = await lab.show("agent.service", "MainPID");
    assign(entry(NAMELESS, "1", UP));
    await until(NAMELESS, ({ has }) => has?.version === "1");
    chmodSync(join(lab.shared, "root/addons", NAMELESS, ".waybill-specs.json"), 0o666);
    assign(entry("beside", "1", UP));
    await until("beside", ({ state }) => state === "running");
    assign();
    await removed("beside");
    expect(await lab.show("agent.service", "MainPID")).toBe(first);
    rmSync(join(lab.shared, "root/addons", NAMELESS), { recursive: true });
  });

  test("case 83: installs, watches, commits, upgrades, goes back from a start limit, and removes", async () => {
    assign(entry("one", "1", UP));
    await until("one", ({ state, last_known_good: good }) => state === "running" && good === "1");
    expect(await lab.show(service("one"), "UnitFileState")).toBe("enabled");

    assign(entry("one", "2", UP.replace("up", "up 2"), { args: ["--two"] }));
    const second = await until(
      "one",
      ({ has, last_known_good: good }) => has?.version === "2" && good === "2",
    );
    expect(second).toMatchObject({
      state: "running",
      pid: Number(await lab.show(service("one"), "MainPID")),
    });
    const text = (await systemctl("cat", service("one"))).stdout;

    // What fails on trial goes back by systemd's own hand, and is blocked.
    assign(entry("one", "3", CRASHES, { resources: { tasks_max: 7 } }));
    const back = await until(
      "one",
      ({ has, blocked, state }) => has?.version === "2" && blocked.length === 1 && state === "running",
    );
    expect(back).toMatchObject({ offered: { version: "3" }, last_known_good: "2" });
    expect((await systemctl("cat", service("one"))).stdout).toBe(text);

    assign();
    await removed("one");
    expect((await lab.run("/bin/ls", "/etc/systemd/system")).stdout).not.toContain("waybill");
  }, 120_000);

  test("case 91: a job whose last run failed is unhealthy though its timer is active; three times, and it goes back", async () => {
    const timer = { supervision: "systemd_timer" };
    const calendar = ["--on-calendar", "*:*:0/6", "--root", "/lab/root"];
    assign(entry("job", "1", JOB, timer));
    await until("job", ({ last_error: error }) => error?.includes("nothing says when") === true);
    const { code } = await lab.run("/lab/waybill", "addon", "unit", "job", "--install", ...calendar);
    expect(code).toBe(0);
    await lab.run(
      "/bin/sh",
      "-c",
      "mkdir -p /etc/systemd/system/waybill-addon-job.timer.d; printf '[Timer]\\nAccuracySec=1\\nRandomizedDelaySec=0\\n' >/etc/systemd/system/waybill-addon-job.timer.d/host.conf; systemctl daemon-reload; systemctl restart waybill-addon-job.timer",
    );
    // The agent takes over what was chosen by hand.
    await systemctl("restart", "agent.service");
    await until("job", ({ state, last_known_good: good }) => state === "running" && good === "1");
    assign(entry("job", "2", CRASHES, timer));
    const ill = await until("job", ({ state, has }) => state === "unhealthy" && has?.version === "2");
    expect(ill.last_error).toContain("the last run of its job ended with exit-code, status 3");
    expect(await lab.show("waybill-addon-job.timer", "ActiveState")).toBe("active");
    await until(
      "job",
      ({ state, has, blocked }) => state === "running" && has?.version === "1" && blocked.length === 1,
    );
  }, 120_000);

  test("case 86: what was a timer and is a service now loses its timer", async () => {
    assign(entry("kind", "1", UP));
    await until("kind", ({ state, last_known_good: good }) => state === "running" && good === "1");
    const calendar = ["--on-calendar", "hourly", "--root", "/lab/root"];
    assign(entry("kind", "2", JOB, { supervision: "systemd_timer" }));
    await until("kind", ({ has }) => has?.version === "2");
    await lab.run("/lab/waybill", "addon", "unit", "kind", "--install", ...calendar);
    expect(await lab.show("waybill-addon-kind.timer", "ActiveState")).toBe("active");
    expect(await lab.show(service("kind"), "UnitFileState")).toBe("static");
    assign(entry("kind", "3", UP.replace("up", "up 3")));
    await until("kind", ({ last_known_good: good }) => good === "3");
    expect(await lab.show("waybill-addon-kind.timer", "LoadState")).toBe("not-found");
    expect(await lab.show(service("kind"), "UnitFileState")).toBe("enabled");
  }, 120_000);

  test("case 86: a job that does not come to be leaves the service that was there", async () => {
    assign(entry("back", "1", UP));
    await until("back", ({ state, last_known_good: good }) => state === "running" && good === "1");
    // It lasts, so that it can be seen to run again by the unit that was there.
    assign(entry("back", "2", UP.replace("up", "job"), { supervision: "systemd_timer" }));
    await until("back", ({ last_error: error }) => error?.includes("nothing says when") === true);
    const flags = ["--install", "--on-calendar", "61:61", "--root", "/lab/root"];
    expect((await lab.run("/lab/waybill", "addon", "unit", "back", ...flags)).code).toBe(13);
    expect(await lab.show(service("back"), "UnitFileState")).toBe("enabled");
    expect(await lab.show(service("back"), "ActiveState")).toBe("active");
    expect(await lab.show("waybill-addon-back.timer", "LoadState")).toBe("not-found");
  }, 120_000);

  test("case 85: what an operator stopped and disabled, or masked, stays so", async () => {
    assign(entry("off", "1", UP));
    await until("off", ({ state, last_known_good: good }) => state === "running" && good === "1");
    await systemctl("disable", "--now", service("off"));
    assign(entry("off", "2", UP.replace("up", "up 2"), { args: ["-2"] }));
    await until("off", ({ state, has }) => state === "stopped" && has?.version === "2");
    expect(await lab.show(service("off"), "UnitFileState")).toBe("disabled");
    await lab.run("/bin/rm", "/etc/systemd/system/waybill-addon-off.service");
    await systemctl("mask", service("off"));
    assign(entry("off", "3", UP.replace("up", "up 3")));
    const masked = await until("off", ({ last_error: error, has }) => has?.version === "3" && error !== null);
    expect(masked).toMatchObject({ state: "stopped", last_error: expect.stringContaining("masked") });
    expect(await lab.show(service("off"), "LoadState")).toBe("masked");
    await systemctl("unmask", service("off"));
  }, 120_000);

  test("case 87: an agent that is killed on its way to another version of a service", async () => {
    assign(entry("killed", "1", UP));
    await until("killed", ({ state, last_known_good: good }) => state === "running" && good === "1");
    for (let moment = 0; moment < 8; moment++) {
      const version = String(moment + 2);
      assign(entry("killed", version, UP.replace("up", `up ${version}`), { args: [version] }));
      // From before the list is read until after the service was started.
      await Bun.sleep(moment * 400);
      await systemctl("kill", "--signal=KILL", "--kill-who=main", "agent.service");
      await until(
        "killed",
        ({ state, has, last_known_good: good }) =>
          state === "running" && has?.version === version && good === version,
      );
      const pid = await lab.show(service("killed"), "MainPID");
      expect((await lab.run("/bin/cat", `/proc/${pid}/environ`)).stdout).toContain(
        `WAYBILL_ADDON_VERSION=${version}\0`,
      );
      expect(await lab.show(service("killed"), "NeedDaemonReload")).toBe("no");
    }
  }, 180_000);

  test("an agent that ends and comes again leaves what systemd runs", async () => {
    assign(entry("stays", "1", UP));
    await until("stays", ({ state, last_known_good: good }) => state === "running" && good === "1");
    const pid = await lab.show(service("stays"), "MainPID");
    const before = await lab.show("agent.service", "MainPID");
    await systemctl("kill", "--signal=TERM", "--kill-who=main", "agent.service");
    while ([before, "0"].includes(await lab.show("agent.service", "MainPID"))) await Bun.sleep(50);
    await until("stays", ({ state, last_known_good: good }) => state === "running" && good === "1");
    expect(await lab.show(service("stays"), "MainPID")).toBe(pid);
  }, 60_000);
});
