import { describe, expect, test } from "bun:test";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Host, type Entry } from "./host.ts";

/** Statements that say `says` of version 2, on a host that runs version 1 with a statement of its own. */
async function offered(says: Entry, key?: KeyObject) {
  const host = new Host();
  host.assign(host.stated(host.program("sample", "1")));
  expect((await host.stage()).exit).toBe(0);
  host.assign(host.stated(host.program("sample", "2"), says, key));
  const { exit, document } = await host.stage();
  const current = readlinkSync(host.path("sample/current"));
  host[Symbol.dispose]();
  return {
    exit,
    code: document.addons[0]?.error?.code ?? null,
    outcome: document.addons[0]?.outcome,
    current,
  };
}

describe("a signed statement", () => {
  test("that is about the artifact lets it pass, is remembered, and costs nothing the next time", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign(host.stated(entry, { expires: "2999-01-01T00:00:00Z", minimum_version: "1" }));
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "staged" }]);
    const specs = JSON.parse(host.read("sample/.waybill-specs.json"));
    expect(specs).toMatchObject({
      stated: true,
      minimum_version: "1",
      active: { stated: { expires: "2999-01-01T00:00:00.000Z", minimum_version: "1" } },
    });
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged", action: "none" }]);
  });

  const refused: [string, Entry, string][] = [
    ["about another add-on", { addon_id: "other" }, "statement_mismatch"],
    ["about another version", { version: "3" }, "statement_mismatch"],
    ["about another system", { os: "windows" }, "statement_mismatch"],
    ["about another processor", { arch: "s390x" }, "statement_mismatch"],
    ["about more bytes", { size: 1_000 }, "statement_mismatch"],
    ["about fewer bytes", { size: 3 }, "artifact_too_large"],
    ["about other bytes", { subject: "0".repeat(64) }, "subject_mismatch"],
    ["that has ended", { expires: "2020-01-01T00:00:00Z" }, "statement_expired"],
    ["that ends at no time", { expires: "soon" }, "statement_invalid"],
    ["without a size", { size: null }, "statement_invalid"],
    ["that does not allow its own version", { minimum_version: "2.1" }, "downgrade_refused"],
  ];
  test.each(refused)("%s keeps what runs", async (_name, says, code) => {
    expect(await offered(says)).toEqual({
      exit: 3,
      code,
      outcome: "kept_last_known_good",
      current: "versions/1",
    });
  });

  test("by a key that nobody trusts keeps what runs", async () => {
    const stranger = generateKeyPairSync("ed25519").privateKey;
    expect(await offered({}, stranger)).toMatchObject({
      exit: 3,
      code: "signature_invalid",
      current: "versions/1",
    });
  });

  const signed: [string, string[], boolean][] = [
    ["a stranger's and a right one", ["stranger", "right"], true],
    ["one key's, twice", ["right", "right"], true],
    ["a stranger's, twice", ["stranger", "stranger"], false],
    ["none", [], false],
  ];
  test.each(signed)("case 34: under %s", async (_name, by, isTaken) => {
    using host = new Host();
    const entry = host.program("sample", "1");
    const signatureBy = (key?: KeyObject): unknown =>
      (host.stated(entry, {}, key)["artifact_statement"] as { signatures: unknown[] }).signatures[0];
    const stranger = generateKeyPairSync("ed25519").privateKey;
    const signatures = by.map((who) => signatureBy(who === "right" ? undefined : stranger));
    const statement = host.stated(entry)["artifact_statement"] as Entry;
    host.assign({ ...entry, artifact_statement: { ...statement, signatures } });
    const { exit, document } = await host.stage();
    expect([exit === 0, document.addons[0]?.outcome]).toEqual([isTaken, isTaken ? "staged" : "skipped"]);
  });

  test("without any key is not believed, whatever may be unsigned", async () => {
    using host = new Host();
    host.assign(host.stated({ ...host.program("sample", "1"), artifact_signature: "" }));
    const { document } = await host.stage(["--no-key", "--allow-unsigned", "sample"]);
    expect(document.addons).toMatchObject([
      { outcome: "skipped", error: { code: "signature_invalid", hint: "pass --key with the release key" } },
    ]);
  });

  test("of an old artifact does not make it a new one", async () => {
    using host = new Host();
    const old = host.stated(host.program("sample", "1"));
    host.assign(host.stated(host.program("sample", "2")));
    await host.stage();
    // Signed bytes and a signed statement, both true, under a version that they are not of.
    host.assign({ ...old, version: "3" });
    const { document } = await host.stage();
    expect(document.addons).toMatchObject([
      { outcome: "kept_last_known_good", error: { code: "statement_mismatch" } },
    ]);
  });

  test("that was believed once is read again under another version, and when its key is not trusted any more", async () => {
    using host = new Host();
    using stranger = new Host();
    const entry = host.stated({ ...host.program("sample", "1"), artifact_signature: "" });
    host.assign(entry);
    const allowed = ["--allow-unsigned", "sample"];
    expect((await host.stage(allowed)).exit).toBe(0);
    const untrusted = await host.stage([...allowed, "--key", stranger.publicKey]);
    expect(untrusted.document.addons).toMatchObject([{ error: { code: "signature_invalid" } }]);
    host.assign({ ...entry, version: "2" });
    expect((await host.stage(allowed)).document.addons).toMatchObject([
      { version: "1", error: { code: "statement_mismatch" } },
    ]);
  });

  test("sticks: from then on none is a downgrade, and only this host can let it pass", async () => {
    using host = new Host();
    host.assign(host.stated(host.program("sample", "1")));
    await host.stage();
    host.assign(host.program("sample", "2"));
    expect((await host.stage()).document.addons).toMatchObject([{ error: { code: "statement_missing" } }]);
    // Unassigned and assigned again: the host remembers.
    const entry = host.program("sample", "2");
    host.assign();
    await host.stage();
    host.assign(entry);
    expect((await host.stage()).document.addons).toMatchObject([{ error: { code: "statement_missing" } }]);
    const allowed = await host.stage(["--allow-unsigned", "sample"]);
    expect(allowed.document).toMatchObject({
      addons: [{ outcome: "staged", version: "2" }],
      warnings: [{ code: "statement_vanished" }],
    });
    expect(readFileSync(join(host.root, "audit.jsonl"), "utf8")).toContain('"event":"statement_vanished"');
    // One exception is not the end of it.
    host.assign(host.program("sample", "3"));
    expect((await host.stage()).document.addons).toMatchObject([{ error: { code: "statement_missing" } }]);
  });

  test("travels with an export, to a host that wants one", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign(host.stated(entry));
    await host.stage();
    const out = join(host.home, "addons.tar");
    expect((await host.addon("export", ["--out", out])).exit).toBe(0);
    const far = ["--root", join(host.home, "far"), "--key", host.publicKey];
    for (const outcome of ["staged", "unchanged"]) {
      const { exit, document } = await host.addon("import", [out, ...far]);
      expect({ exit, document }).toMatchObject({ exit: 0, document: { addons: [{ outcome }] } });
    }
    const specs = JSON.parse(readFileSync(join(host.home, "far/addons/sample/.waybill-specs.json"), "utf8"));
    expect(specs.stated).toBe(true);
  });

  test("that is kept is verified again by verify addon, and so is what was noted of it", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign(host.stated(entry, { expires: "2999-01-01T00:00:00Z" }));
    await host.stage();
    const keys = ["--key", host.publicKey];
    expect(await host.verify(keys)).toMatchObject({
      exit: 0,
      document: { accepted: [{ statement: { expires: "2999-01-01T00:00:00.000Z", expired: false } }] },
    });
    const path = host.path("sample/.waybill-specs.json");
    const text = readFileSync(path, "utf8");
    const changed = async (change: (stated: Record<string, unknown>) => void): Promise<unknown> => {
      const specs = JSON.parse(text);
      change(specs.active.stated);
      writeFileSync(path, JSON.stringify(specs));
      const { exit, document } = await host.verify(keys);
      return [exit, (document["refusals"] as { code: string }[])[0]?.code];
    };
    expect(await changed((stated) => void (stated["expires"] = ""))).toEqual([6, "record_mismatch"]);
    const other = host.stated(entry, { version: "2" })["artifact_statement"];
    expect(await changed((stated) => void (stated["envelope"] = JSON.stringify(other)))).toEqual([
      6,
      "statement_mismatch",
    ]);
    const { privateKey } = generateKeyPairSync("ed25519");
    const foreign = host.stated(entry, {}, privateKey)["artifact_statement"];
    expect(await changed((stated) => void (stated["envelope"] = JSON.stringify(foreign)))).toEqual([
      6,
      "signature_invalid",
    ]);
  });

  test("takes older versions back, also from an operator", async () => {
    using host = new Host();
    const [one, two] = [host.program("sample", "1"), host.program("sample", "2")];
    host.assign(host.stated(one));
    await host.stage();
    host.assign(host.stated(two, { minimum_version: "2" }));
    await host.stage();
    expect(await host.addon("rollback", ["sample"])).toMatchObject({
      exit: 5,
      document: { error: { code: "downgrade_refused" } },
    });
    // Unassigned and assigned again, with an override: the floor stays.
    host.assign();
    await host.stage();
    host.allowDowngrade("sample", "1");
    host.assign(host.stated(one));
    const { document } = await host.stage(["--override", host.override]);
    expect(document.addons).toMatchObject([{ error: { code: "downgrade_refused" } }]);
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/2");
  });
});

describe("what has ended", () => {
  test("case 37: goes on where it runs, is said so, and is made whole again", async () => {
    using host = new Host();
    const expires = "2997-01-01T00:00:00Z";
    const entry = host.stated(host.program("sample", "1"), { expires });
    host.assign(entry);
    expect((await host.stage()).exit).toBe(0);
    writeFileSync(
      join(host.root, "clock.json"),
      JSON.stringify({ highest_ms: Date.parse(expires) + 7_200_000 }),
    );
    await Bun.write(host.path("sample/versions/1/sample"), "");
    const late = await host.stage();
    expect(late).toMatchObject({
      exit: 0,
      document: {
        addons: [{ outcome: "staged", action: "repair" }],
        warnings: [{ code: "clock_went_back" }, { code: "statement_expired" }],
      },
    });
    const status = await host.addon("status", ["--assignments", host.list]);
    expect(status.document).toMatchObject({ addons: [{ state: "current", statement: { expired: true } }] });
  });

  test("case 63: stays so when the clock is set back", async () => {
    using host = new Host();
    host.assign();
    await host.stage();
    const mark = join(host.root, "clock.json");
    writeFileSync(mark, JSON.stringify({ highest_ms: Date.parse("2998-01-01T00:00:00Z") }));
    const entry = host.stated(host.program("sample", "1"), { expires: "2997-01-01T00:00:00Z" });
    host.assign(entry);
    expect((await host.stage()).document.addons).toMatchObject([{ error: { code: "statement_expired" } }]);
    const unsigned = { ...host.program("plain", "1"), artifact_signature: "" };
    host.assign(unsigned);
    const permitted = ["--allow-unsigned", "plain@2997-01-01"];
    expect((await host.stage(permitted)).document.addons).toMatchObject([{ error: { code: "unsigned" } }]);
    rmSync(mark);
    host.assign(entry, unsigned);
    expect((await host.stage([...permitted, "--retry-now"])).exit).toBe(0);
  });

  const broken: [string, (mark: string) => unknown][] = [
    ["empty", (mark) => writeFileSync(mark, "")],
    ["cut off", (mark) => writeFileSync(mark, '{"highest_ms":179')],
    ["of no time", (mark) => writeFileSync(mark, '{"highest_ms":9e15}')],
    ["open to others", (mark) => chmodSync(mark, 0o666)],
    ["a link to nothing", (mark) => (rmSync(mark), symlinkSync("nothing", mark))],
  ];
  test.each(broken)("is not lost with a mark of the clock that is %s", async (_name, spoil) => {
    using host = new Host();
    const expires = "2997-01-01T00:00:00Z";
    const [runs, next] = ["1", "2"].map((version) =>
      host.stated(host.program("sample", version), { expires }),
    );
    if (runs === undefined || next === undefined) throw new Error("two were made");
    host.assign(runs);
    await host.stage();
    const mark = join(host.root, "clock.json");
    spoil(mark);
    const before = lstatSync(mark).ino;
    const plain = { ...host.program("plain", "1"), artifact_signature: "" };
    const permitted = ["--allow-unsigned", "plain@2997-01-01"];
    host.assign(next, plain);
    expect((await host.stage(permitted)).document).toMatchObject({
      addons: [
        { version: "1", outcome: "kept_last_known_good", error: { code: "statement_expired" } },
        { error: { code: "unsigned" } },
      ],
      warnings: [{ code: "state_unreadable" }],
    });
    host.assign(runs);
    const { exit, document } = await host.stage();
    expect([exit, document.warnings.map(({ code }) => code)]).toEqual([
      0,
      ["state_unreadable", "statement_expired"],
    ]);
    const status = await host.addon("status", ["--assignments", host.list]);
    expect(status.document["warnings"]).toMatchObject([{ code: "state_unreadable" }]);
    expect(lstatSync(mark).ino).toBe(before);
    rmSync(mark);
    host.assign(next, plain);
    expect((await host.stage([...permitted, "--retry-now"])).exit).toBe(0);
  });
});

test("case 54: the specs of a newer build are not touched, and nothing is decided without them", async () => {
  using host = new Host();
  host.assign(host.program("sample", "1"));
  await host.stage();
  const newer = host.read("sample/.waybill-specs.json").replace("addon-specs/v1", "addon-specs/v2");
  writeFileSync(host.path("sample/.waybill-specs.json"), newer);
  host.assign(host.program("sample", "2"));
  expect(await host.stage()).toMatchObject({
    exit: 5,
    document: { addons: [{ outcome: "skipped", error: { code: "state_newer" } }] },
  });
  host.assign();
  expect((await host.stage()).document.warnings).toMatchObject([{ code: "state_not_written" }]);
  expect((await host.addon("rollback", ["sample"])).document).toMatchObject({
    error: { code: "state_newer" },
  });
  expect(host.read("sample/.waybill-specs.json")).toBe(newer);
  expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
});
