import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Layout } from "../../src/addons/on-host/layout.ts";
import { openForStaging } from "../../src/addons/on-host/open-root.ts";
import { bareKeys } from "../../src/addons/staging/release-signers.ts";
import { stageHost } from "../../src/addons/staging/stage-host.ts";
import { temporaryFolder } from "../support/temporary.ts";

const { signal: stop } = new AbortController();

test("a run that waited for another one asks for the list again, and obeys no older one after it", async () => {
  using folder = temporaryFolder();
  const layout = new Layout(folder.at("root"), "waybill");
  const path = folder.at("list.json");
  const assign = (id: string): void =>
    writeFileSync(
      path,
      JSON.stringify({ addons: [{ addon_id: id, enabled: true, binary_path: "/bin/sh" }] }),
    );
  const stage = (): ReturnType<typeof stageHost> =>
    stageHost({
      source: { kind: "file", path },
      overrideFile: null,
      strict: false,
      lockBudgetMs: 30_000,
      retryNow: false,
      now: () => new Date(),
      run: {
        layout,
        platform: { os: "linux", arch: "amd64" },
        isHost: true,
        keys: () => bareKeys([]),
        allowUnsigned: new Set(),
        replace: false,
        now: new Date(),
        maxArtifactBytes: 1,
        download: () => Promise.reject(new Error("nothing is fetched")),
        stop,
      },
    });
  assign("older");
  const first = await openForStaging(layout, 0, stop);
  expect(first.waited).toBe(false);
  const second = stage();
  // Until it waits it does nothing that takes more than this turn of the loop.
  await new Promise(setImmediate);
  assign("newer");
  first.release();
  expect((await second).results.map(({ addonId }) => addonId)).toEqual(["newer"]);
});
