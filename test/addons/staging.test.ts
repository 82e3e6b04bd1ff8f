import { describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Host } from "./host.ts";

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}

describe("staging", () => {
  test("a signed program is staged, exactly as the layout says", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1.0.0"));
    const { exit, document } = await host.stage();
    expect(exit).toBe(0);
    expect(document).toMatchObject({
      ok: true,
      exit_code: 0,
      checked: 1,
      warnings: [],
      assignments: "source",
    });
    expect(document.addons).toMatchObject([
      {
        addon_id: "sample",
        version: "1.0.0",
        ok: true,
        outcome: "staged",
        exit_code: 0,
        binary_path: host.path("sample/versions/1.0.0/sample"),
        signature: { verified: true },
        action: "stage",
        error: null,
      },
    ]);
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1.0.0");
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho sample 1.0.0\n");
    expect(modeOf(host.path("sample/versions/1.0.0/sample"))).toBe("755");
    expect(modeOf(host.path("sample/versions/1.0.0/.waybill-addon.json"))).toBe("644");
    for (const folder of ["", "sample", "sample/versions", "sample/versions/1.0.0"]) {
      expect(modeOf(host.path(folder))).toBe("755");
    }
    expect(host.read("sample/versions/1.0.0/.waybill-addon.json")).toMatch(/^\{"addon_id":"sample",.*\}\n$/u);
    expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
  });

  test("a second run downloads nothing", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1.0.0"));
    await host.stage();
    host.emptyStore();
    const { exit, document } = await host.stage();
    expect(exit).toBe(0);
    expect(document.addons).toMatchObject([
      { outcome: "unchanged", action: "none", signature: { verified: true } },
    ]);
  });

  test("versions that were staged before are switched to without the store", async () => {
    using host = new Host();
    const [one, two] = [host.program("sample", "1"), host.program("sample", "2")];
    host.assign(one);
    await host.stage();
    host.assign(two);
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "staged", version: "2" }]);
    host.emptyStore();
    host.assign(one);
    host.allowDowngrade("sample", "1");
    const { document } = await host.stage(["--override", host.override]);
    expect(document.addons).toMatchObject([{ outcome: "staged", action: "activate", version: "1" }]);
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
  });

  test("a new configuration of the same bytes is noted", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { config_json: { a: 1 } }));
    await host.stage();
    host.assign(host.program("sample", "1", undefined, { config_json: { a: 2 } }));
    const { document } = await host.stage();
    expect(document.addons).toMatchObject([{ outcome: "unchanged", action: "reconfigure" }]);
    const specs = JSON.parse(host.read("sample/.waybill-specs.json"));
    expect(specs.active.config_json).toEqual({ a: 2 });
    expect(specs.last_known_good.config_json).toEqual({ a: 1 });
    await host.stage();
    expect(JSON.parse(host.read("sample/.waybill-specs.json")).last_known_good.config_json).toEqual({ a: 2 });
  });

  test("the original's layout, and its variable for the key", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { binary_path: "" }));
    const { exit, document } = await host.stage(["--layout", "serviceradar", "--no-key"], {
      SERVICERADAR_AGENT_RELEASE_PUBLIC_KEY: host.publicKey,
    });
    expect(exit).toBe(0);
    expect(document.addons[0]?.binary_path).toBe(host.path("sample/versions/1/serviceradar-sample-addon"));
    expect(Object.keys(JSON.parse(host.read("sample/versions/1/.serviceradar-addon.json")))).toEqual([
      "addon_id",
      "version",
      "binary_name",
      "artifact_object_key",
      "artifact_sha256",
      "artifact_signature",
    ]);
  });

  test("a version that nobody named is the digest's", async () => {
    using host = new Host();
    const entry = host.program("sample", "");
    host.assign(entry);
    const { document } = await host.stage();
    expect(document.addons[0]?.version).toBe(String(entry["artifact_sha256"]).slice(0, 12));
  });

  test("another key that signed is found among several", async () => {
    using host = new Host();
    using other = new Host();
    host.assign(host.program("sample", "1"));
    const { exit } = await host.stage(["--key", other.publicKey, "--key", host.publicKey]);
    expect(exit).toBe(0);
  });
});
