import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Host } from "./host.ts";
import { tar } from "./tar.ts";

/** A host that runs a program and a bundle, and an export of both. */
async function exporting(): Promise<{ host: Host; file: string }> {
  const host = new Host();
  const bundle = gzipSync(
    tar({ name: "packed", data: "#!/bin/sh\necho packed\n" }, { name: "a.json", data: "{}" }),
  );
  host.assign(
    host.program("sample", "1", undefined, { config_json: { a: 1 }, args: ["x"] }),
    host.program("packed", "2", bundle),
  );
  await host.stage();
  return { host, file: join(host.home, "addons.tar") };
}

describe("an export", () => {
  test("brings another host to the same add-ons, verified, and takes nothing else away", async () => {
    const { host, file } = await exporting();
    using from = host;
    using to = new Host();
    from.emptyStore();
    const exported = await from.addon("export", ["--out", file]);
    expect(exported).toMatchObject({
      exit: 0,
      document: { checked: 2, addons: [{ addon_id: "packed" }, { addon_id: "sample" }] },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    to.assign(to.program("own", "1"));
    await to.stage();
    const imported = await to.addon("import", [file, "--key", from.publicKey]);
    expect(imported).toMatchObject({
      exit: 0,
      document: {
        checked: 2,
        warnings: [],
        addons: [
          { addon_id: "packed", outcome: "staged", signature: { verified: true } },
          { addon_id: "sample", outcome: "staged", signature: { verified: true } },
        ],
      },
    });
    expect(to.read("packed/current/a.json")).toBe("{}");
    const specs = JSON.parse(to.read("sample/.waybill-specs.json"));
    expect(specs.active).toMatchObject({ version: "1", args: ["x"], config_json: { a: 1 } });
    expect(JSON.parse(to.read("own/.waybill-specs.json")).active).toMatchObject({ version: "1" });
    expect((await to.addon("import", [file, "--key", from.publicKey])).document).toMatchObject({
      addons: [{ outcome: "unchanged" }, { outcome: "unchanged" }],
    });
  });

  test("is not believed: without the key, and with changed bytes", async () => {
    const { host, file } = await exporting();
    using from = host;
    using to = new Host();
    await from.addon("export", ["--out", file, "--id", "sample"]);
    expect(await to.addon("import", [file])).toMatchObject({
      exit: 6,
      document: { addons: [{ error: { code: "signature_invalid" } }] },
    });
    expect(await to.addon("import", [file, "--key", to.publicKey])).toMatchObject({ exit: 6 });
    const bytes = readFileSync(file);
    bytes.write("evil", bytes.lastIndexOf("echo"));
    writeFileSync(file, bytes);
    expect(await to.addon("import", [file, "--key", from.publicKey])).toMatchObject({
      exit: 6,
      document: { addons: [{ error: { code: "hash_mismatch" } }] },
    });
    expect(existsSync(to.path("sample"))).toBe(false);
  });

  test("is not made of bytes that are not what was verified", async () => {
    const { host, file } = await exporting();
    using from = host;
    from.spoil("1");
    expect(await from.addon("export", ["--out", file])).toMatchObject({
      exit: 6,
      document: { error: { code: "hash_mismatch" } },
    });
    expect(existsSync(file)).toBe(false);
  });

  test("of a program is made of the program, whatever became of the copy beside it", async () => {
    const { host, file } = await exporting();
    using from = host;
    writeFileSync(from.path("sample/versions/1/artifact.bin"), "damaged");
    expect(await from.addon("export", ["--out", file, "--id", "sample"])).toMatchObject({
      exit: 0,
      document: { checked: 1 },
    });
  });

  const files: [string, Uint8Array | null, string, number][] = [
    ["nothing", null, "path_not_found", 7],
    ["a list and no archive", Buffer.from('{"addons":[]}'), "tarball_unsafe", 5],
    ["an archive without a list", tar({ name: "x", data: "1" }), "input_invalid", 2],
    ["an archive cut off", tar({ name: "index.json", data: "{}" }).subarray(0, 512), "tarball_unsafe", 5],
    [
      "an archive with a link",
      tar({ name: "index.json", type: "2", link: "/etc/passwd" }),
      "tarball_unsafe",
      5,
    ],
  ];
  test.each(files)("%s is none", async (_name, bytes, code, exit) => {
    using to = new Host();
    const file = join(to.home, "export.tar");
    if (bytes !== null) writeFileSync(file, bytes);
    expect(await to.addon("import", [file, "--key", to.publicKey])).toMatchObject({
      exit,
      document: { error: { code } },
    });
    expect(existsSync(to.root)).toBe(false);
  });
});
