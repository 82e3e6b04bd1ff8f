import { describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Host } from "./host.ts";

describe("what is not staged", () => {
  test("disabled, acknowledged and unsupported ones", async () => {
    using host = new Host();
    host.assign(
      { addon_id: "off", enabled: false, version: "1" },
      { addon_id: "toggle", enabled: true, supervision: "config-toggle" },
      { addon_id: "odd", enabled: true, supervision: "hypervisor" },
      { addon_id: "in", enabled: true, delivery: "compiled_in" },
      { addon_id: "local", enabled: true, binary_path: "/bin/sh" },
      { addon_id: "absent", enabled: true, binary_path: "/nonexistent/x" },
    );
    const { exit, document } = await host.stage();
    expect(
      document.addons.map((one) => [one.outcome, one.ok, one.binary_path, one.error?.code ?? null]),
    ).toEqual([
      ["disabled", true, null, null],
      ["acknowledged", true, null, null],
      ["unsupported", false, null, "supervision_unsupported"],
      ["skipped", true, null, null],
      ["skipped", true, "/bin/sh", null],
      ["skipped", false, null, "binary_missing"],
    ]);
    expect(exit).toBe(3);
  });

  type Refusal = [string, Record<string, unknown>, string, number];
  const refusals: Refusal[] = [
    ["an id that leads out", { addon_id: "../../etc" }, "unsafe_path", 5],
    ["an id with a slash", { addon_id: "a/b" }, "unsafe_path", 5],
    ["an id with a space", { addon_id: "sample " }, "unsafe_path", 5],
    ["a reserved id", { addon_id: "versions" }, "unsafe_path", 5],
    ["a version that leads out", { version: ".." }, "unsafe_path", 5],
    ["a key that leads out", { artifact_object_key: "../../../etc/passwd" }, "unsafe_path", 5],
    ["a key that is nowhere", { artifact_object_key: "addons/none" }, "not_found", 7],
    ["no digest", { artifact_sha256: "" }, "artifact_incomplete", 7],
    ["no key", { artifact_object_key: "" }, "artifact_incomplete", 7],
    ["another digest", { artifact_sha256: "0".repeat(64) }, "hash_mismatch", 6],
    ["no signature", { artifact_signature: "" }, "unsigned", 5],
    ["half a signature", { artifact_signature: "00" }, "signature_malformed", 6],
    [
      "another signature",
      { artifact_signature: Buffer.alloc(64, 1).toString("base64") },
      "signature_invalid",
      6,
    ],
    ["another platform", { target_os: "linux", target_arch: "s390x" }, "platform_unsupported", 5],
    ["a store of another kind", { artifact_object_key: "gopher://bucket/x" }, "object_store_unavailable", 12],
  ];
  test.each(refusals)("%s, and nothing is written", async (_name, change, code, exitCode) => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, change));
    const { exit, document } = await host.stage();
    expect(document.addons).toMatchObject([
      { ok: false, outcome: "skipped", exit_code: exitCode, error: { code } },
    ]);
    expect(exit).toBe(exitCode);
    expect(document.ok).toBe(false);
    expect(readdirSync(host.path())).toEqual([]);
    expect(readdirSync(join(host.root, "tmp"))).toEqual([]);
  });

  test("a signed program without any key", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    const { exit, document } = await host.stage(["--no-key"]);
    expect(document.addons).toMatchObject([{ error: { code: "signature_invalid" } }]);
    expect(exit).toBe(6);
  });

  test("a reference without a store", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { binary_path: "/bin/sh" }));
    const { exit, document } = await host.stage(["--no-store"]);
    expect(document.addons).toMatchObject([
      { binary_path: null, error: { code: "object_store_unavailable" } },
    ]);
    expect(exit).toBe(12);
  });

  const programs: [string, string][] = [
    ["a page", "404 Not Found\n"],
    ["nothing", ""],
    ["a script of a missing interpreter", "#!/nonexistent/python\n"],
    ["a script with the line ends of Windows", "#!/bin/sh\r\necho hi\r\n"],
  ];
  test.each(programs)("%s with a good signature", async (_name, text) => {
    using host = new Host();
    host.assign(host.program("sample", "1", text));
    const { exit, document } = await host.stage();
    expect(document.addons).toMatchObject([{ error: { code: "platform_unsupported" } }]);
    expect(exit).toBe(5);
  });

  test("one failure does not stop the others", async () => {
    using host = new Host();
    host.assign(
      host.program("a", "1"),
      host.program("b", "1", undefined, { artifact_sha256: "0".repeat(64) }),
      { addon_id: "c", enabled: "yes", version: "1" },
      host.program("d", "1"),
    );
    const { exit, document } = await host.stage();
    expect(document.addons.map((one) => [one.addon_id, one.outcome, one.error?.code ?? null])).toEqual([
      ["a", "staged", null],
      ["b", "skipped", "hash_mismatch"],
      ["d", "staged", null],
      ["c", "skipped", "input_invalid"],
    ]);
    expect(exit).toBe(3);
  });
});

describe("signatures", () => {
  test("an unsigned one passes when it is named", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { artifact_signature: "" }));
    const { exit, document } = await host.stage(["--allow-unsigned", "sample"]);
    expect(exit).toBe(0);
    expect(document.addons).toMatchObject([
      { outcome: "staged", signature: { verified: false, keyid: null } },
    ]);
    expect(document.warnings.map((warning) => warning.code)).toEqual(["unsigned_allowed"]);
    expect((await host.stage(["--allow-unsigned", "other"])).document.addons).toMatchObject([
      { outcome: "kept_last_known_good", error: { code: "unsigned" } },
    ]);
  });

  test("case 33: trust sticks: what was signed once is not unsigned in silence", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    host.assign(host.program("sample", "2", undefined, { artifact_signature: "" }));
    const refused = await host.stage();
    expect(refused.exit).toBe(3);
    expect(refused.document.addons[0]?.error?.message).toContain("earlier ones of this add-on were signed");
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
    const allowed = await host.stage(["--allow-unsigned", "sample"]);
    expect(allowed.exit).toBe(0);
    expect(allowed.document.warnings.map((warning) => warning.code)).toEqual(["unsigned_after_signed"]);
    // Nor does the permission of one run make it be forgotten.
    host.assign(host.program("sample", "3", undefined, { artifact_signature: "" }));
    expect((await host.stage()).document.addons[0]?.error?.message).toContain("earlier ones");
  });

  test("a key that is not trusted any more refuses what is in place, too", async () => {
    using host = new Host();
    using other = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    const { exit, document } = await host.stage(["--key", other.publicKey]);
    expect(document.addons).toMatchObject([
      { outcome: "kept_last_known_good", action: "keep", error: { code: "signature_invalid" } },
    ]);
    expect(exit).toBe(3);
  });
});

describe("the same version with other bytes", () => {
  test("is refused, and what is there stays", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    host.assign(host.program("sample", "1", "#!/bin/sh\necho other\n"));
    const { exit, document } = await host.stage();
    expect(document.addons).toMatchObject([
      { outcome: "kept_last_known_good", error: { code: "version_conflict" } },
    ]);
    expect(exit).toBe(3);
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho sample 1\n");
  });

  test("is staged beside them with --replace, and found again without it", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    const other = host.program("sample", "1", "#!/bin/sh\necho other\n");
    host.assign(other);
    const { exit, document } = await host.stage(["--replace"]);
    expect(exit).toBe(0);
    const folder = `1+${String(other["artifact_sha256"]).slice(0, 12)}`;
    expect(document.addons).toMatchObject([
      {
        outcome: "staged",
        action: "replace",
        version: "1",
        binary_path: host.path("sample/versions", folder, "sample"),
      },
    ]);
    expect(host.read("sample/versions/1/sample")).toBe("#!/bin/sh\necho sample 1\n");
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged" }]);
  });
});
