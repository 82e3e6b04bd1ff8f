import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Host, snapshot } from "./host.ts";
import { tar } from "./tar.ts";

describe("addon fsck", () => {
  const FILES = gzipSync(tar({ name: "sample", data: "#!/bin/sh\n" }, { name: "a.json", data: "{}" }));

  const BUNDLE = gzipSync(tar({ name: "bundle", data: "#!/bin/sh\n" }));

  test("reads everything again; 6 for damage, and repairs it without the store", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", FILES), host.program("other", "1"));
    await host.stage();
    host.emptyStore();
    expect(await host.addon("fsck", ["--key", host.publicKey])).toMatchObject({
      exit: 0,
      document: { checked: 2, repaired: 0, findings: [{ ok: true }, { ok: true }] },
    });
    writeFileSync(host.path("sample/versions/1/a.json"), "[]");
    chmodSync(host.path("other/versions/1/other"), 0o6755);
    const before = snapshot(host.root);
    const found = await host.addon("fsck", []);
    expect(found.exit).toBe(6);
    expect(found.document["findings"]).toMatchObject([
      { addon_id: "other", error: { code: "hash_mismatch" } },
      { addon_id: "sample", folder: "1", error: { code: "hash_mismatch" } },
    ]);
    expect(snapshot(host.root)).toEqual(before);
    const repaired = await host.addon("fsck", ["--repair", "--key", host.publicKey]);
    expect(repaired).toMatchObject({ exit: 0, document: { repaired: 1 } });
    expect(host.read("sample/versions/1/a.json")).toBe("{}");
    expect(await host.addon("fsck", [])).toMatchObject({ exit: 0 });
    expect(await host.verify([])).toMatchObject({ exit: 0 });
  });

  test("what cannot be made whole is said, and another key is 6", async () => {
    using host = new Host();
    using other = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    expect(await host.addon("fsck", ["--key", other.publicKey])).toMatchObject({
      exit: 6,
      document: { findings: [{ error: { code: "signature_invalid" } }] },
    });
    host.spoil("1");
    expect(await host.addon("fsck", ["--repair"])).toMatchObject({ exit: 6, document: { repaired: 0 } });
  });

  test("a kept artifact with other bytes is damage; that of a program is made again from the program", async () => {
    using host = new Host();
    host.assign(host.program("bundle", "1", BUNDLE), host.program("sample", "1"));
    await host.stage();
    const kept = ["bundle/versions/1/artifact.tar.gz", "sample/versions/1/artifact.bin"];
    for (const path of kept) writeFileSync(host.path(path), "evil");
    const errors = kept.map((path) => ({
      code: "hash_mismatch",
      message: expect.stringContaining(`verified: ${path.split("/").at(-1)} has other bytes`),
    }));
    expect((await host.addon("fsck", [])).document["findings"]).toMatchObject(
      errors.map((error) => ({ error })),
    );
    expect(await host.addon("fsck", ["--repair"])).toMatchObject({
      document: { repaired: 1, findings: [{ error: errors[0] }, { addon_id: "sample", repaired: true }] },
    });
    expect(host.read(kept[1] ?? "")).toBe("#!/bin/sh\necho sample 1\n");
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }, { action: "none" }]);
    expect(await host.addon("fsck", [])).toMatchObject({ exit: 0 });
  });

  test("specs that cannot be read are damage, which the status tells of, too; a stage writes them anew", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    writeFileSync(host.path("sample/.waybill-specs.json"), "{");
    for (const words of [[], ["--repair"]]) {
      const { exit, document } = await host.addon("fsck", words);
      const error = {
        code: "record_mismatch",
        message: expect.stringContaining("it is not the JSON we take"),
      };
      expect({ exit, document }).toMatchObject({
        exit: 6,
        document: {
          repaired: 0,
          findings: [
            { folder: "1", ok: true },
            { folder: null, error },
          ],
        },
      });
    }
    expect((await host.addon("status", [])).document["warnings"]).toMatchObject([
      { code: "state_unreadable" },
    ]);
    await host.stage();
    expect(await host.addon("fsck", [])).toMatchObject({ exit: 0, document: { checked: 1 } });
  });

  test("nothing to check is 7", async () => {
    using host = new Host();
    host.assign();
    await host.stage();
    expect(await host.addon("fsck", [])).toMatchObject({ exit: 7 });
    expect(await host.verify([])).toMatchObject({ exit: 7 });
  });
});
