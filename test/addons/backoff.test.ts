import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Host } from "./host.ts";

describe("what failed before", () => {
  test("is tried at once after the first time, then held back, and tried at once when told or changed", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    const path = join(host.store, String(entry["artifact_object_key"]));
    const good = readFileSync(path);
    writeFileSync(path, "#!/bin/sh\necho evil\n");
    host.assign(entry);
    const messages: string[] = [];
    for (const _ of [1, 2, 3]) {
      const { exit, document } = await host.stage();
      expect({ exit, code: document.addons[0]?.error?.code }).toEqual({ exit: 6, code: "hash_mismatch" });
      messages.push(document.addons[0]?.error?.message ?? "");
    }
    expect(messages.map((message) => message.includes("not tried before"))).toEqual([false, false, true]);
    const attempts = JSON.parse(readFileSync(join(host.root, "attempts.json"), "utf8")).attempts;
    expect(Object.values(attempts)).toMatchObject([{ failures: 2, code: "hash_mismatch", permanent: true }]);
    // One line for each kind of failure in a row.
    expect(host.log()).toHaveLength(1);
    writeFileSync(path, good);
    expect((await host.stage(["--retry-now"])).exit).toBe(0);
    expect(JSON.parse(readFileSync(join(host.root, "attempts.json"), "utf8"))).toEqual({ attempts: {} });
  });

  test("is tried at once when the configuration or the version changed", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    const path = join(host.store, String(entry["artifact_object_key"]));
    const good = readFileSync(path);
    rmSync(path);
    host.assign(entry);
    for (const _ of [1, 2, 3]) await host.stage();
    writeFileSync(path, good);
    expect((await host.stage()).document.addons[0]?.error?.message).toContain("not tried before");
    host.assign({ ...entry, config_json: { a: 1 } });
    expect((await host.stage()).exit).toBe(0);
  });

  test("is tried at once with the signature that was wrong before put right", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign({ ...entry, artifact_signature: Buffer.alloc(64, 1).toString("base64") });
    for (const _ of [1, 2, 3]) expect((await host.stage()).exit).toBe(6);
    host.assign(entry);
    expect((await host.stage()).exit).toBe(0);
  });

  test("holds back nothing when it cannot be read, and nothing else ever", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    const path = join(host.store, String(entry["artifact_object_key"]));
    const good = readFileSync(path);
    rmSync(path);
    host.assign(entry, host.program("other", "1"));
    for (const _ of [1, 2, 3]) expect((await host.stage()).document.addons[1]?.ok).toBe(true);
    expect(dirname(path)).toContain("sample");
    writeFileSync(path, good);
    writeFileSync(join(host.root, "attempts.json"), "{");
    expect((await host.stage()).exit).toBe(0);
  });
});

describe("a permission to be unsigned", () => {
  test.each([
    ["sample@2999-12-31", 0],
    ["sample@2020-01-01", 5],
  ])("%s ends with its day: %i", async (permission, exit) => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { artifact_signature: "" }));
    expect((await host.stage(["--allow-unsigned", permission])).exit).toBe(exit);
  });
  test.each(["sample@", "sample@soon", "@2999-12-31", "a@2999-12-31@b"])("%s is none", async (permission) => {
    using host = new Host();
    host.assign();
    expect((await host.stage(["--allow-unsigned", permission])).document.error?.code).toBe("invalid_value");
  });
});
