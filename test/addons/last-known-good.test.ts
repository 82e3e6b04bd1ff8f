import { describe, expect, test } from "bun:test";
import { readdirSync, chmodSync, existsSync, lstatSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { Host } from "./host.ts";

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}

describe("tampering", () => {
  test("a changed program is made whole from the kept artifact, without the store", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    writeFileSync(host.path("sample/versions/1/sample"), "#!/bin/sh\necho evil\n");
    host.emptyStore();
    const { exit, document } = await host.stage();
    expect(exit).toBe(0);
    expect(document.addons).toMatchObject([{ outcome: "staged", action: "repair" }]);
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho sample 1\n");
  });

  test("a changed program whose kept artifact is changed as well is fetched again", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    host.spoil("1");
    const { exit, document } = await host.stage();
    expect(exit).toBe(0);
    expect(document.addons).toMatchObject([{ outcome: "staged", action: "repair" }]);
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho sample 1\n");
  });

  test("case 15: an empty one after a power cut, too; the record does not count", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    writeFileSync(host.path("sample/versions/1/sample"), "");
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }]);
    rmSync(host.path("sample/versions/1/sample"));
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }]);
  });

  test("a forged record does not make wrong bytes right", async () => {
    using host = new Host();
    const [one, two] = [host.program("sample", "1"), host.program("sample", "1", "#!/bin/sh\necho two\n")];
    host.assign(one);
    await host.stage();
    const record = host.path("sample/versions/1/.waybill-addon.json");
    writeFileSync(
      record,
      host
        .read("sample/versions/1/.waybill-addon.json")
        .replaceAll(String(one["artifact_sha256"]), String(two["artifact_sha256"])),
    );
    host.assign(two);
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }]);
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho two\n");
  });

  test("without the store the last known good goes on", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    host.assign(host.program("sample", "2"));
    await host.stage();
    host.spoil("2");
    host.emptyStore();
    const { exit, document } = await host.stage();
    expect(exit).toBe(3);
    expect(document.addons).toMatchObject([
      {
        version: "1",
        wanted_version: "2",
        ok: false,
        outcome: "kept_last_known_good",
        action: "restore",
        binary_path: host.path("sample/versions/1/sample"),
        error: { code: "object_store_unavailable" },
      },
    ]);
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
  });

  test("without the store and without good bytes it is never run", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    host.spoil("1");
    host.emptyStore();
    const { exit, document } = await host.stage();
    expect(exit).toBe(6);
    expect(document.addons).toMatchObject([
      {
        ok: false,
        outcome: "skipped",
        action: "withdraw",
        binary_path: null,
        error: { code: "hash_mismatch" },
      },
    ]);
    expect(existsSync(host.path("sample/current"))).toBe(false);
  });

  test("a mode with more bits than it had is put right", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    chmodSync(host.path("sample/versions/1/sample"), 0o4777);
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged" }]);
    expect(modeOf(host.path("sample/versions/1/sample"))).toBe("755");
  });
});

describe("the last known good", () => {
  test("goes on while the next version cannot be had, whole", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { config_json: { a: 1 }, args: ["one"] }));
    await host.stage();
    await host.stage();
    host.assign(
      host.program("sample", "2", undefined, { config_json: { a: 2 }, artifact_object_key: "addons/none" }),
    );
    const { exit, document } = await host.stage();
    expect(exit).toBe(3);
    expect(document.addons).toMatchObject([
      {
        version: "1",
        outcome: "kept_last_known_good",
        action: "keep",
        exit_code: 7,
        error: { code: "not_found" },
      },
    ]);
    const specs = JSON.parse(host.read("sample/.waybill-specs.json"));
    expect(specs.active).toMatchObject({ version: "1", config_json: { a: 1 }, args: ["one"] });
  });

  test("the previous version stays known good until the new one was found again", async () => {
    using host = new Host();
    const specs = (): { active: { version: string }; last_known_good: { version: string } | null } =>
      JSON.parse(host.read("sample/.waybill-specs.json"));
    host.assign(host.program("sample", "1"));
    await host.stage();
    expect(specs()).toMatchObject({ active: { version: "1" }, last_known_good: null });
    host.assign(host.program("sample", "2"));
    await host.stage();
    expect(specs()).toMatchObject({ active: { version: "2" }, last_known_good: { version: "1" } });
    await host.stage();
    expect(specs()).toMatchObject({ active: { version: "2" }, last_known_good: { version: "2" } });
  });

  test("case 61: is forgotten with the assignment; that it was signed is not", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { config_json: { a: 1 } }));
    await host.stage();
    host.assign();
    await host.stage();
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho sample 1\n");
    host.assign(host.program("sample", "2", undefined, { artifact_object_key: "addons/none" }));
    expect((await host.stage()).document.addons).toMatchObject([
      { outcome: "skipped", error: { code: "not_found" } },
    ]);
    host.assign(host.program("sample", "2", undefined, { artifact_signature: "" }));
    expect((await host.stage()).document.addons[0]?.error?.message).toContain("earlier ones");
  });

  test("case 60: both of two entries for one id are refused, and it goes on", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    host.assign(host.program("sample", "1"), host.program("sample", "2"));
    const { exit, document } = await host.stage();
    expect(document.addons.map((one) => [one.outcome, one.error?.code])).toEqual([
      ["kept_last_known_good", "answer_ambiguous"],
      ["kept_last_known_good", "answer_ambiguous"],
    ]);
    expect(exit).toBe(3);
  });

  test("of specs that cannot be read a collection removes nothing, and leaves them as they are", async () => {
    using host = new Host();
    for (const version of ["1", "2", "3"]) {
      host.assign(host.program("sample", version));
      await host.stage();
    }
    writeFileSync(host.path("sample/.waybill-specs.json"), "{");
    const { exit, document } = await host.addon("gc", ["--keep", "0"]);
    expect({ exit, removed: document["removed"] }).toEqual({ exit: 0, removed: 0 });
    expect(document["warnings"]).toMatchObject([{ code: "state_unreadable" }]);
    expect(readdirSync(host.path("sample/versions")).sort()).toEqual(["1", "2", "3"]);
    expect(host.read("sample/.waybill-specs.json")).toBe("{");
  });

  test("specs that cannot be read stay as they are when wrong bytes are taken away, of which the log tells", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    writeFileSync(host.path("sample/.waybill-specs.json"), "{");
    host.spoil("1");
    host.emptyStore();
    const { exit, document } = await host.stage();
    expect(exit).toBe(6);
    expect(document.addons).toMatchObject([{ action: "withdraw" }]);
    expect(document.warnings).toMatchObject([{ code: "state_unreadable" }]);
    expect(existsSync(host.path("sample/current"))).toBe(false);
    expect(host.read("sample/.waybill-specs.json")).toBe("{");
    expect(host.log().map(({ event }) => event)).toEqual(["staged", "failed", "withdrawn"]);
  });

  test("specs that cannot be read are told of an add-on that is refused, too", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign(entry);
    await host.stage();
    writeFileSync(host.path("sample/.waybill-specs.json"), "{");
    host.assign({ ...entry, target_os: "plan9" });
    expect((await host.stage()).document.warnings).toMatchObject([{ code: "state_unreadable" }]);
  });

  test("specs that cannot be read are made again with the bytes, fetched once", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    writeFileSync(host.path("sample/.waybill-specs.json"), "{");
    host.spoil("1");
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }]);
    expect(host.log().map(({ event }) => event)).toEqual(["staged", "repaired"]);
    expect((await host.stage()).document).toMatchObject({ addons: [{ action: "none" }], warnings: [] });
  });

  test("large configurations do not take away what guards against a downgrade, nor the version to go back to", async () => {
    using host = new Host();
    const text = "x".repeat(2_000_000);
    for (const version of ["1", "2", "3", "4", "5", "6", "7"]) {
      host.assign(host.program("sample", version, undefined, { config_json: { version, text } }));
      expect(await host.stage()).toMatchObject({ exit: 0, document: { warnings: [] } });
    }
    host.assign(host.program("sample", "1"));
    expect((await host.stage()).document.addons).toMatchObject([{ error: { code: "downgrade_refused" } }]);
    expect((await host.addon("rollback", ["sample", "--to", "6"])).exit).toBe(0);
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/6");
  });

  test("a version of any length that is refused leaves the log one that holds", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign(entry);
    await host.stage();
    host.spoil("1");
    host.assign({ ...entry, version: "x".repeat(70_000) });
    expect((await host.stage()).document.addons).toMatchObject([{ action: "withdraw" }]);
    host.assign(host.program("other", "1"));
    await host.stage();
    expect(host.log().map(({ event }) => event)).toEqual(["staged", "withdrawn", "staged"]);
    expect((await host.verify([])).document["audit"]).toMatchObject({ lines: 3, ok: true });
  });

  test("specs that cannot be read are told, and made again", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    writeFileSync(host.path("sample/.waybill-specs.json"), "{");
    const { exit, document } = await host.stage();
    expect(exit).toBe(0);
    expect(document.warnings.map((warning) => warning.code)).toEqual(["state_unreadable"]);
    expect((await host.stage()).document.warnings).toEqual([]);
  });
});
