import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CLEAN_ENVIRONMENT } from "../support/binary.ts";
import { Host, snapshot } from "./host.ts";

/** A host on which version 1 and then version 2 of one add-on were staged, twice each. */
async function upgraded(): Promise<Host> {
  const host = new Host();
  for (const version of ["1", "2"]) {
    host.assign(host.program("sample", version, undefined, { config_json: { v: version }, args: [version] }));
    await host.stage();
    await host.stage();
  }
  return host;
}

describe("addon plan", () => {
  test("says what would change, 20, and writes nothing; afterwards 0", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    const first = await host.addon("plan", ["--assignments", host.list, "--key", host.publicKey]);
    expect(first.exit).toBe(20);
    expect(first.document).toMatchObject({
      ok: false,
      checked: 1,
      changes: 1,
      addons: [{ addon_id: "sample", wanted_version: "1", action: "stage", changes: true, from: "store" }],
    });
    expect(existsSync(host.root)).toBe(false);
    await host.stage();
    const before = snapshot(host.root);
    const second = await host.addon("plan", ["--assignments", host.list, "--key", host.publicKey]);
    expect(second).toMatchObject({ exit: 0, document: { ok: true, changes: 0 } });
    expect(snapshot(host.root)).toEqual(before);
  });

  test("agrees with addon-stage about damage and does not touch it", async () => {
    using host = await upgraded();
    writeFileSync(host.path("sample/versions/2/sample"), "#!/bin/sh\necho evil\n");
    chmodSync(host.path("sample/versions/2/sample"), 0o600);
    const before = snapshot(host.root);
    const { exit, document } = await host.addon("plan", [
      "--assignments",
      host.list,
      "--key",
      host.publicKey,
    ]);
    expect({ exit, addons: document["addons"] }).toMatchObject({
      exit: 20,
      addons: [{ action: "repair", from: "kept" }],
    });
    expect(snapshot(host.root)).toEqual(before);
  });

  test("names what would be refused", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { artifact_signature: "" }));
    const { exit, document } = await host.addon("plan", ["--assignments", host.list]);
    expect({ exit, addons: document["addons"] }).toMatchObject({
      exit: 5,
      addons: [{ error: { code: "unsigned" } }],
    });
  });
});

describe("addon status", () => {
  test("tells what is there from what is offered", async () => {
    using host = await upgraded();
    host.assign(host.program("sample", "3"), host.program("new", "1"));
    const { exit, document } = await host.addon("status", ["--assignments", host.list]);
    expect(exit).toBe(0);
    expect(document["addons"]).toMatchObject([
      {
        addon_id: "sample",
        state: "behind",
        has: { version: "2", folder: "2" },
        offered: { version: "3" },
        last_known_good: "2",
        highest_version: "2",
        versions: ["2", "1"],
      },
      { addon_id: "new", state: "not_staged", has: null, offered: { version: "1" } },
    ]);
  });

  test("without any list it says so, and a root that never was is 7", async () => {
    using host = await upgraded();
    const known = await host.addon("status", []);
    expect(known.document).toMatchObject({ assignments: "none", addons: [{ state: "unknown" }] });
    rmSync(host.root, { recursive: true });
    expect(await host.addon("status", [])).toMatchObject({
      exit: 7,
      document: { error: { code: "not_found" } },
    });
    expect(existsSync(host.root)).toBe(false);
  });
});

describe("addon explain", () => {
  test("names who said each field, what is here, and why it is decided so", async () => {
    using host = await upgraded();
    host.assign(host.program("sample", "1", undefined, { config_json: { password: "secret" } }));
    writeFileSync(host.override, JSON.stringify({ addons: [{ addon_id: "sample", args: ["local"] }] }));
    const flags = [
      "sample",
      "--assignments",
      host.list,
      "--override",
      host.override,
      "--key",
      host.publicKey,
    ];
    const { exit, document } = await host.addon("explain", flags);
    expect(exit).toBe(0);
    expect(document).toMatchObject({
      ask: "artifact",
      decision: "refuse",
      fields: {
        version: { value: "1", from: "assigned" },
        args: { value: ["local"], from: "override" },
        supervision: { value: "", from: "default" },
        config_json: { value: "(set)", from: "assigned" },
      },
      host: { current: "2", highest_version: "2", signed_before: true },
    });
    expect(JSON.stringify(document)).toContain("downgrade_refused");
    expect(JSON.stringify(document)).not.toContain("secret");
  });

  test("what is disabled needs no look at the host", async () => {
    using host = await upgraded();
    host.assign(host.program("sample", "2", undefined, { enabled: false }));
    const { exit, document } = await host.addon("explain", ["sample", "--assignments", host.list]);
    expect(exit).toBe(0);
    expect(document).toMatchObject({ ask: "disabled", host: null });
  });

  test("an add-on that is not assigned is 7", async () => {
    using host = await upgraded();
    expect(await host.addon("explain", ["other", "--assignments", host.list])).toMatchObject({ exit: 7 });
  });
});

describe("addon rollback", () => {
  test("puts the whole earlier spec back, without the store, and keeps it from coming back", async () => {
    using host = await upgraded();
    host.emptyStore();
    const { exit, document } = await host.addon("rollback", ["sample"]);
    expect(exit).toBe(0);
    expect(document).toMatchObject({ addon_id: "sample", from: { version: "2" }, to: { version: "1" } });
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
    const specs = JSON.parse(host.read("sample/.waybill-specs.json"));
    expect(specs).toMatchObject({
      active: { version: "1", args: ["1"], config_json: { v: "1" } },
      last_known_good: { version: "1" },
      pending: null,
    });
    // The server still offers what was rolled back.
    const offered = await host.stage();
    expect(offered.exit).toBe(3);
    expect(offered.document.addons).toMatchObject([
      { version: "1", outcome: "kept_last_known_good", error: { code: "version_blocked" } },
    ]);
    expect((await host.addon("unpin", ["sample"])).document).toMatchObject({ changed: true });
    expect((await host.stage()).document.addons).toMatchObject([
      { version: "2", outcome: "staged", action: "activate" },
    ]);
  });

  test("something newer is taken after it", async () => {
    using host = await upgraded();
    await host.addon("rollback", ["sample", "--to", "1"]);
    host.assign(host.program("sample", "3"));
    expect((await host.stage()).document.addons).toMatchObject([{ version: "3", outcome: "staged" }]);
  });

  const refusals: [string, string[], string, number][] = [
    ["to what runs already", ["sample", "--to", "2"], "nothing_named", 2],
    ["to what never was", ["sample", "--to", "0"], "rollback_target_missing", 7],
    ["of another add-on", ["other"], "not_found", 7],
    ["of a name that leads out", ["../x"], "unsafe_path", 5],
  ];
  test.each(refusals)("refused: %s", async (_name, args, code, exit) => {
    using host = await upgraded();
    expect(await host.addon("rollback", args)).toMatchObject({ exit, document: { error: { code } } });
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/2");
  });

  test("refused: to bytes that are not what was verified", async () => {
    using host = await upgraded();
    writeFileSync(host.path("sample/versions/1/sample"), "#!/bin/sh\necho evil\n");
    expect(await host.addon("rollback", ["sample"])).toMatchObject({
      exit: 6,
      document: { error: { code: "hash_mismatch" } },
    });
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/2");
  });
});

describe("addon pin", () => {
  test("keeps what runs, until it is unpinned", async () => {
    using host = await upgraded();
    expect(await host.addon("pin", ["sample", "--reason", "because"])).toMatchObject({
      exit: 0,
      document: { version: "2", pinned: true },
    });
    host.assign(host.program("sample", "3"));
    const held = await host.stage();
    expect(held.exit).toBe(0);
    expect(held.document.addons).toMatchObject([
      { version: "2", wanted_version: "3", outcome: "unchanged", action: "hold" },
    ]);
    expect(held.document.warnings.map(({ code }) => code)).toEqual(["pinned"]);
    await host.addon("unpin", ["sample"]);
    expect((await host.stage()).document.addons).toMatchObject([{ version: "3", outcome: "staged" }]);
  });

  test("to what is not whole any more is a failure, at each run, and what worked before goes on", async () => {
    using host = new Host();
    for (const version of ["1", "2"]) {
      host.assign(host.program("sample", version));
      await host.stage();
    }
    await host.addon("pin", ["sample"]);
    host.spoil("2");
    host.assign(host.program("sample", "3"));
    for (const action of ["keep", "keep"]) {
      expect(await host.stage()).toMatchObject({
        exit: 3,
        document: {
          addons: [
            { version: "1", outcome: "kept_last_known_good", action, error: { code: "binary_missing" } },
          ],
        },
      });
    }
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
  });

  test("and what an operator went back to is no failure", async () => {
    using host = await upgraded();
    await host.addon("pin", ["sample"]);
    await host.addon("rollback", ["sample", "--to", "1"]);
    host.assign(host.program("sample", "3"));
    expect(await host.stage()).toMatchObject({
      exit: 0,
      document: { addons: [{ version: "1", action: "hold" }] },
    });
  });
});

describe("addon gc", () => {
  async function five(): Promise<Host> {
    const host = new Host();
    for (const version of ["1", "2", "3", "4", "5"]) {
      host.assign(host.program("sample", version));
      await host.stage();
      await host.stage();
    }
    return host;
  }

  test("keeps what is current, known good and previous, and as many more as asked", async () => {
    using host = await five();
    const look = await host.addon("gc", ["--keep", "0", "--dry-run"]);
    expect(look).toMatchObject({
      exit: 20,
      document: { removed: 3, addons: [{ removed: ["3", "2", "1"] }] },
    });
    expect(readdirSync(host.path("sample/versions"))).toHaveLength(5);
    const { exit, document } = await host.addon("gc", ["--keep", "0"]);
    expect({ exit, removed: document["removed"] }).toEqual({ exit: 0, removed: 3 });
    expect(readdirSync(host.path("sample/versions")).sort()).toEqual(["4", "5"]);
    expect((await host.addon("gc", ["--keep", "0", "--dry-run"])).exit).toBe(0);
    expect(readdirSync(host.path("sample")).filter((name) => name.startsWith(".trash"))).toEqual([]);
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged" }]);
    expect(await host.addon("rollback", ["sample", "--to", "1"])).toMatchObject({ exit: 7 });
  });

  test("case 56: never removes what runs", async () => {
    using host = new Host();
    for (const version of ["1", "2", "3", "4"]) {
      host.assign(host.program("sample", version, `#!/bin/sh\n# ${version}\necho up\nread line\n`));
      await host.stage();
      await host.stage();
    }
    const child = Bun.spawn([host.path("sample/versions/1/sample")], {
      env: { ...CLEAN_ENVIRONMENT },
      stdin: "pipe",
      stdout: "pipe",
    });
    await child.stdout.getReader().read();
    const { document } = await host.addon("gc", ["--keep", "0"]);
    expect(document["addons"]).toMatchObject([
      { removed: ["2"], kept: [{}, {}, { folder: "1", why: "running" }] },
    ]);
    await child.stdin.end();
    await child.exited;
    expect((await host.addon("gc", ["--keep", "0"])).document["addons"]).toMatchObject([{ removed: ["1"] }]);
  });
});

describe("verify addon and the log", () => {
  test("each transition is one line, chained; an unchanged run adds none", async () => {
    using host = await upgraded();
    expect(host.log().map(({ event, version }) => `${event} ${version}`)).toEqual(["staged 1", "staged 2"]);
    await host.stage();
    expect(host.log()).toHaveLength(2);
    await host.addon("rollback", ["sample"]);
    const { exit, document } = await host.verify(["--key", host.publicKey]);
    expect(exit).toBe(0);
    expect(document).toMatchObject({
      checked: 1,
      accepted: [{ addon_id: "sample", version: "1" }],
      refusals: [],
      audit: { lines: 3, ok: true },
    });
  });

  const changes: [string, (text: string) => string][] = [
    ["a changed line", (text) => text.replace('"staged"', '"removed"')],
    ["a line taken out", (text) => text.split("\n").slice(1).join("\n")],
    ["a line put in", (text) => `${text.split("\n")[0]}\n${text}`],
    ["half a line", (text) => text.slice(0, -5)],
  ];
  test.each(changes)("%s is seen", async (_name, change) => {
    using host = await upgraded();
    const path = join(host.root, "audit.jsonl");
    writeFileSync(path, change(readFileSync(path, "utf8")));
    expect(await host.verify([])).toMatchObject({
      exit: 6,
      document: { refusals: [{ code: "audit_broken" }], audit: { ok: false } },
    });
  });

  test("that is not there proves nothing, and is no fault but for who noted its end", async () => {
    using host = await upgraded();
    rmSync(join(host.root, "audit.jsonl"));
    expect(await host.verify([])).toMatchObject({ exit: 0, document: { audit: null } });
    expect((await host.verify(["--audit-head", "a".repeat(64)])).exit).toBe(6);
  });

  test("lines cut off the end are seen by who noted the last one", async () => {
    using host = await upgraded();
    const head = (await host.verify([])).document["audit"] as { head: string };
    const path = join(host.root, "audit.jsonl");
    writeFileSync(path, readFileSync(path, "utf8").replace(/[^\n]*\n$/u, ""));
    expect((await host.verify([])).exit).toBe(0);
    expect((await host.verify(["--audit-head", head.head])).exit).toBe(6);
  });

  test("half a line from a power cut is taken away by the next one", async () => {
    using host = await upgraded();
    const path = join(host.root, "audit.jsonl");
    writeFileSync(path, `${readFileSync(path, "utf8")}{"seq":3,"ti`);
    await host.addon("rollback", ["sample"]);
    expect(await host.verify([])).toMatchObject({ exit: 0, document: { audit: { lines: 3 } } });
  });

  test("unsigned code is refused when a key is given, and changed code always", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", undefined, { artifact_signature: "" }));
    await host.stage(["--allow-unsigned", "sample"]);
    expect((await host.verify([])).exit).toBe(0);
    expect(await host.verify(["--key", host.publicKey])).toMatchObject({
      exit: 5,
      document: { refusals: [{ code: "unsigned" }] },
    });
    writeFileSync(host.path("sample/versions/1/sample"), "evil");
    expect(await host.verify(["sample"])).toMatchObject({
      exit: 6,
      document: { refusals: [{ code: "hash_mismatch" }] },
    });
    expect(readFileSync(join(host.root, "audit.jsonl"), "utf8")).toContain("unsigned_allowed");
  });

  test("a copied root verifies elsewhere", async () => {
    using host = await upgraded();
    cpSync(host.root, `${host.root}.copy`, { recursive: true, verbatimSymlinks: true });
    expect((await host.verify(["--root", `${host.root}.copy`])).exit).toBe(0);
  });
});
