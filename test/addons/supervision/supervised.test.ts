import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { Layout } from "../../../src/addons/on-host/layout.ts";
import { safeName } from "../../../src/addons/names.ts";
import { USUAL_HEALTH } from "../../../src/addons/supervision/health.ts";
import type { Ready, StartPlan } from "../../../src/addons/supervision/start-plan.ts";
import { Supervised } from "../../../src/addons/supervision/supervised.ts";
import { temporaryFolder } from "../../support/temporary.ts";

test("one that is wanted again while its bytes are read is started, and not blamed", async () => {
  using folder = temporaryFolder();
  const paths = new Layout(folder.path, "waybill").addon(safeName("sensor", "the add-on"));
  mkdirSync(paths.directory, { recursive: true });
  const read = Promise.withResolvers<Ready>();
  const launch = { path: "/bin/sleep", args: ["1000"], env: {}, cwd: folder.path };
  // Each round makes a plan of its own.
  const plan = (): StartPlan => ({
    ...{ id: "sensor", version: "1", sha256: null, key: "one" },
    prepare: () => read.promise,
  });
  const stop = new AbortController();
  const blamed: string[] = [];
  const watcher = {
    mayStart: () => true,
    blamed: (_weight: number, why: string) => void blamed.push(why),
    seen: () => {},
    said: () => {},
  };
  using supervised = new Supervised(paths, watcher, { now: () => 0, random: () => 0, stop: stop.signal });
  supervised.want(plan());
  await Bun.sleep(0);
  supervised.want(plan());
  read.resolve({ launch, health: USUAL_HEALTH, state: folder.path, requireUnchanged: () => {} });
  await Bun.sleep(0);
  const { pid, starts, state } = supervised.running;
  supervised.kill();
  expect({ blamed, starts, state, isUp: pid !== null }).toEqual({
    ...{ blamed: [], starts: 1, state: "starting", isUp: true },
  });
});
