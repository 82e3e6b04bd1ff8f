import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { AuditLog } from "../../../src/addons/audit/audit-log.ts";
import { safeName } from "../../../src/addons/names.ts";
import { Layout } from "../../../src/addons/on-host/layout.ts";
import { NO_SPECS, type Spec, type Specs } from "../../../src/addons/on-host/spec.ts";
import { writeSpecs } from "../../../src/addons/on-host/specs-file.ts";
import { readGate } from "../../../src/addons/supervision/gate-file.ts";
import { Trials } from "../../../src/addons/supervision/trials.ts";
import { sha256Of } from "../../../src/base/hashing.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const id = safeName("sensor", "the add-on");

function spec(version: string): Spec {
  return {
    ...{ addon_id: id, version, folder: safeName(version, "the folder"), binary_name: "sensor" },
    ...{ artifact_sha256: sha256Of(version), supervision: "agent_sidecar" },
    ...{ args: [], capabilities: [], os_capabilities: [] },
  };
}

test.skipIf(process.geteuid?.() !== 0)(
  "a step back that the disk did not take is taken the next time",
  async () => {
    using folder = temporaryFolder();
    const mount = (...words: string[]): boolean =>
      Bun.spawnSync(["mount", ...words, folder.path], { stderr: "ignore" }).success;
    // Not every machine lets us.
    if (!mount("-t", "tmpfs", "none")) return;
    try {
      const layout = new Layout(folder.path, "waybill");
      const paths = layout.addon(id);
      mkdirSync(paths.directory, { recursive: true });
      const trials = new Trials(layout, new AuditLog(layout.audit, () => new Date()));
      const specs: Specs = { ...NO_SPECS, active: spec("2"), last_known_good: spec("1") };
      writeSpecs(paths, NO_SPECS, specs);
      mount("-o", "remount,ro");
      const stop = new AbortController().signal;
      const fails = (): string => trials.countFault(id, specs, 3, { probe: null, fault: "ended" });
      expect(fails()).toBe("fails");
      expect(await trials.stepBack(id, spec("2"), stop)).toContain("the file system is read-only");
      mount("-o", "remount,rw");
      expect(fails()).toBe("fails");
      // Its bytes are not there to go back to, and that is for people to mend.
      expect(await trials.stepBack(id, spec("2"), stop)).toContain("is not what was verified");
      expect(fails()).toBe("start");
    } finally {
      Bun.spawnSync(["umount", "-l", folder.path]);
    }
  },
);

test("what cannot be written is counted nevertheless, and written when it can be", () => {
  using folder = temporaryFolder();
  const layout = new Layout(folder.path, "waybill");
  const paths = layout.addon(id);
  const trials = new Trials(layout, new AuditLog(layout.audit, () => new Date()));
  const specs: Specs = { ...NO_SPECS, active: spec("2"), last_known_good: spec("1") };
  trials.begin(id, specs);
  const seen = { sha256: sha256Of("2"), probe: null, answer: null, fault: "ended" } as const;
  const counted = [1, 2, 3].map(() => {
    trials.countStart(id, specs);
    expect(trials.see(id, seen)).toBe(false);
    return trials.countFault(id, specs, 1, seen);
  });
  expect(counted).toEqual(["start", "start", "fails"]);
  expect(readGate(paths).trial).toBeNull();
  mkdirSync(paths.directory, { recursive: true });
  trials.countStart(id, specs);
  expect(readGate(paths).trial).toMatchObject({ starts: 4, failures: 3, failing: { fault: "ended" } });
});
