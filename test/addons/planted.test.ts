import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runWaybill } from "../support/binary.ts";
import { Host } from "./host.ts";

const isRoot = process.geteuid?.() === 0;

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}

describe("planted things", () => {
  const plants: [string, (host: Host, elsewhere: string) => void][] = [
    [
      "case 23: a link in place of the add-on",
      (host, elsewhere) => symlinkSync(elsewhere, host.path("sample")),
    ],
    [
      "case 23: a link in place of versions",
      (host, elsewhere) => {
        mkdirSync(host.path("sample"));
        symlinkSync(elsewhere, host.path("sample/versions"));
      },
    ],
    [
      "case 23: a link in place of the version",
      (host, elsewhere) => {
        mkdirSync(host.path("sample/versions"), { recursive: true });
        symlinkSync(elsewhere, host.path("sample/versions/1"));
      },
    ],
    ["case 24: a file in place of the add-on", (host) => writeFileSync(host.path("sample"), "")],
    [
      "case 24: a folder in place of current",
      (host) => mkdirSync(host.path("sample/current"), { recursive: true }),
    ],
    [
      "case 25: a folder that everybody may write",
      (host) => {
        mkdirSync(host.path("sample"));
        chmodSync(host.path("sample"), 0o777);
      },
    ],
  ];
  test.each(plants)("%s is refused and not followed", async (_name, plant) => {
    using host = new Host();
    host.assign();
    await host.stage();
    const elsewhere = join(host.home, "elsewhere");
    mkdirSync(elsewhere);
    plant(host, elsewhere);
    host.assign(host.program("sample", "1"), host.program("other", "1"));
    const { exit, document } = await host.stage();
    expect(document.addons.map((one) => one.error?.code ?? null)).toEqual(["unsafe_path", null]);
    expect(exit).toBe(3);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test("a current link to elsewhere is replaced, and not followed", async () => {
    using host = new Host();
    host.assign();
    await host.stage();
    mkdirSync(host.path("sample"));
    symlinkSync("/etc", host.path("sample/current"));
    host.assign(host.program("sample", "1"));
    expect((await host.stage()).exit).toBe(0);
    expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
  });

  test("a link in place of the program is replaced, and not followed", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    const victim = join(host.home, "victim");
    writeFileSync(victim, "#!/bin/sh\necho sample 1\n", { mode: 0o600 });
    rmSync(host.path("sample/versions/1/sample"));
    symlinkSync(victim, host.path("sample/versions/1/sample"));
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }]);
    expect(lstatSync(host.path("sample/versions/1/sample")).isFile()).toBe(true);
    expect(modeOf(victim)).toBe("600");
  });

  test("a record that names a file elsewhere is not followed", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign(entry);
    await host.stage();
    const victim = join(host.home, "victim");
    writeFileSync(victim, "mine", { mode: 0o600 });
    const record = JSON.parse(host.read("sample/versions/1/.waybill-addon.json"));
    const forged = { ...record, binary_name: "../../../../../victim" };
    writeFileSync(host.path("sample/versions/1/.waybill-addon.json"), JSON.stringify(forged));
    rmSync(host.path("sample/.waybill-specs.json"));
    host.assign({ ...entry, artifact_signature: "" });
    expect((await host.stage()).document.addons).toMatchObject([
      { outcome: "skipped", error: { code: "unsigned" } },
    ]);
    expect(modeOf(victim)).toBe("600");
  });

  const roots: [string, (root: string) => void][] = [
    ["that its group may write", (root) => chmodSync(root, 0o775)],
    ["that everybody may write", (root) => chmodSync(root, 0o1777)],
    [
      "that is a link",
      (root) => {
        renameSync(root, `${root}.real`);
        symlinkSync(`${root}.real`, root);
      },
    ],
    [
      "that is a file",
      (root) => {
        rmSync(root, { recursive: true });
        writeFileSync(root, "");
      },
    ],
    [
      "below a folder that everybody may write",
      (root) => {
        chmodSync(join(root, ".."), 0o777);
      },
    ],
  ];
  test.each(roots)("case 25: a root %s", async (_name, spoil) => {
    using host = new Host();
    mkdirSync(host.root);
    spoil(host.root);
    host.assign(host.program("sample", "1"));
    const { exit, document } = await host.stage();
    expect(document.error?.code).toBe("root_insecure");
    expect(exit).toBe(2);
  });

  test.skipIf(!isRoot)("a root of somebody else", async () => {
    using host = new Host();
    mkdirSync(host.root);
    chownSync(host.root, 12_345, 0);
    host.assign(host.program("sample", "1"));
    expect((await host.stage()).document.error?.code).toBe("root_insecure");
  });

  test.skipIf(!isRoot)("a program of somebody else is not believed", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    chownSync(host.path("sample/versions/1/sample"), 12_345, 0);
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }]);
    expect(statSync(host.path("sample/versions/1/sample")).uid).toBe(0);
  });

  test("what a killed run left is removed, and nothing else", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    mkdirSync(join(host.root, "tmp", "waybill-0123456789abcdef"));
    writeFileSync(join(host.root, "tmp", "waybill-0123456789abcdef", "sample"), "half");
    writeFileSync(join(host.root, "tmp", "theirs"), "kept");
    symlinkSync("versions/2", host.path("sample/.current.0123456789ab.tmp"));
    expect((await host.stage()).exit).toBe(0);
    expect(readdirSync(join(host.root, "tmp"))).toEqual(["theirs"]);
    expect(readdirSync(host.path("sample")).sort()).toEqual([".waybill-specs.json", "current", "versions"]);
  });
});

describe("case 25: what is remembered of an add-on, and somebody else could have written", () => {
  const specs = (host: Host): string => host.path("sample/.waybill-specs.json");
  /** Other arguments than were assigned, as whoever could write there would put them. */
  const inject = (host: Host): void =>
    writeFileSync(specs(host), host.read("sample/.waybill-specs.json").replace('["one"]', '["other"]'));
  const cases: [string, (host: Host) => void, (host: Host) => void][] = [
    ["by its mode", (host) => chmodSync(specs(host), 0o666), (host) => chmodSync(specs(host), 0o600)],
    ["by its group", (host) => chmodSync(specs(host), 0o620), (host) => chmodSync(specs(host), 0o600)],
    [
      "by a link",
      (host) => {
        renameSync(specs(host), join(host.home, "elsewhere"));
        symlinkSync(join(host.home, "elsewhere"), specs(host));
      },
      (host) => renameSync(join(host.home, "elsewhere"), specs(host)),
    ],
    ...(isRoot
      ? ([
          [
            "by its owner",
            (host) => chownSync(specs(host), 65_534, 65_534),
            (host) => chownSync(specs(host), 0, 0),
          ],
        ] as [string, (host: Host) => void, (host: Host) => void][])
      : []),
  ];
  test.each(cases)(
    "%s, starts nothing and decides nothing until it is put right",
    async (_name, change, mend) => {
      using host = new Host();
      const entry = host.program("sample", "1", '#!/bin/sh\necho "$@"\n', { args: ["one"] });
      host.assign(entry);
      expect((await host.stage()).exit).toBe(0);
      inject(host);
      change(host);
      const { document } = await host.stage();
      expect(document.addons).toMatchObject([{ outcome: "skipped", error: { code: "unsafe_path" } }]);
      expect(readlinkSync(host.path("sample/current"))).toBe("versions/1");
      const started = await runWaybill(["addon", "exec", "sample", "--root", host.root]);
      expect([started.code, started.stdout]).toEqual([5, ""]);
      for (const word of ["rollback", "pin"]) {
        expect(await host.addon(word, ["sample"])).toMatchObject({
          exit: 5,
          document: { error: { code: "unsafe_path" } },
        });
      }
      // Somebody who looked at it says that it is good, and a run puts right what is assigned otherwise.
      mend(host);
      expect((await host.stage()).document.addons).toMatchObject([
        { outcome: "unchanged", action: "reconfigure" },
      ]);
      expect((await runWaybill(["addon", "exec", "sample", "--root", host.root])).stdout).toBe("one\n");
    },
  );
});
