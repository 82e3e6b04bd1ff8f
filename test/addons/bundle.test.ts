import { describe, expect, test } from "bun:test";
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Host } from "./host.ts";
import { tar } from "./tar.ts";

const PROGRAM = "#!/bin/sh\necho bundled\n";
const FILES = tar(
  { name: "sample.json", data: '{"a":1}', mode: "0006777\0" },
  { name: "sample", data: PROGRAM, mode: "0000000\0" },
  { name: "sample@.service", data: "[Service]\n" },
  { name: "empty" },
);

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}

const formats: [string, string, Uint8Array][] = [
  ["gzip", "artifact.tar.gz", gzipSync(FILES)],
  ["zstd", "artifact.tar.zst", zstdCompressSync(FILES)],
];

describe.each(formats)("a bundle in %s", (_format, retained, bytes) => {
  test("is unpacked flat, with modes of our own, beside the kept artifact", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", bytes));
    const { exit, document } = await host.stage();
    expect({ exit, error: document.addons[0]?.error }).toEqual({ exit: 0, error: null });
    const folder = host.path("sample/versions/1");
    expect(readdirSync(folder).sort()).toEqual(
      [".waybill-addon.json", retained, "empty", "sample", "sample.json", "sample@.service"].sort(),
    );
    expect(host.read("sample/current/sample")).toBe(PROGRAM);
    expect(host.read("sample/current/sample.json")).toBe('{"a":1}');
    expect(readFileSync(host.path("sample/current", retained)).equals(bytes)).toBe(true);
    expect(modeOf(`${folder}/sample`)).toBe("755");
    for (const name of ["sample.json", "empty", retained]) expect(modeOf(`${folder}/${name}`)).toBe("644");
    expect(modeOf(folder)).toBe("755");
    host.emptyStore();
    expect((await host.stage()).document.addons).toMatchObject([
      { outcome: "unchanged", action: "none", signature: { verified: true } },
    ]);
  });

  const damages: [string, (folder: string) => void][] = [
    ["a changed program", (folder) => writeFileSync(`${folder}/sample`, "#!/bin/sh\necho evil..\n")],
    ["a shorter file", (folder) => writeFileSync(`${folder}/sample.json`, "{}")],
    ["a file that is gone", (folder) => rmSync(`${folder}/empty`)],
    ["a file that was added", (folder) => writeFileSync(`${folder}/evil.service`, "[Service]\n")],
    [
      "a link in place of a file",
      (folder) => {
        rmSync(`${folder}/sample.json`);
        symlinkSync("/etc/passwd", `${folder}/sample.json`);
      },
    ],
  ];
  test.each(damages)("with %s is made whole without the store", async (_name, damage) => {
    using host = new Host();
    host.assign(host.program("sample", "1", bytes));
    await host.stage();
    host.emptyStore();
    damage(host.path("sample/versions/1"));
    const { exit, document } = await host.stage();
    expect(exit).toBe(0);
    expect(document.addons).toMatchObject([{ outcome: "staged", action: "repair" }]);
    expect(host.read("sample/current/sample")).toBe(PROGRAM);
    expect(host.read("sample/current/sample.json")).toBe('{"a":1}');
    expect(readdirSync(host.path("sample/versions/1"))).toHaveLength(6);
    expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged" }]);
  });

  test("whose kept artifact is damaged is fetched again", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1", bytes));
    await host.stage();
    writeFileSync(host.path("sample/versions/1", retained), "");
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }]);
    expect(readFileSync(host.path("sample/current", retained)).equals(bytes)).toBe(true);
  });
});

test("a bundle without the declared program is refused, and nothing is left", async () => {
  using host = new Host();
  host.assign(host.program("sample", "1", gzipSync(tar({ name: "other", data: PROGRAM }))));
  const { exit, document } = await host.stage();
  expect(document.addons).toMatchObject([{ error: { code: "tarball_binary_missing" } }]);
  expect(exit).toBe(7);
  expect(readdirSync(host.path())).toEqual([]);
  expect(readdirSync(`${host.root}/tmp`)).toEqual([]);
});

test("a bundle whose program is for another machine is refused", async () => {
  using host = new Host();
  host.assign(host.program("sample", "1", gzipSync(tar({ name: "sample", data: "404 Not Found\n" }))));
  expect((await host.stage()).document.addons).toMatchObject([{ error: { code: "platform_unsupported" } }]);
});

test("the original's agent may have merged a configuration into the bundled one", async () => {
  using host = new Host();
  host.assign(host.program("sample", "1", gzipSync(FILES)));
  const flags = ["--layout", "serviceradar"];
  expect((await host.stage(flags)).exit).toBe(0);
  host.emptyStore();
  const folder = host.path("sample/versions/1");
  writeFileSync(`${folder}/.serviceradar-config-base-sample.json`, '{"a":1}');
  writeFileSync(`${folder}/sample.json`, '{"a":1,"b":2}');
  expect((await host.stage(flags)).document.addons).toMatchObject([{ outcome: "unchanged" }]);
  expect(readFileSync(`${folder}/sample.json`, "utf8")).toBe('{"a":1,"b":2}');
});

test("a mode that was changed is put right", async () => {
  using host = new Host();
  host.assign(host.program("sample", "1", gzipSync(FILES)));
  await host.stage();
  chmodSync(host.path("sample/versions/1/sample"), 0o700);
  chmodSync(host.path("sample/versions/1/sample.json"), 0o666);
  expect((await host.stage()).document.addons).toMatchObject([{ outcome: "unchanged" }]);
  expect(modeOf(host.path("sample/versions/1/sample"))).toBe("755");
  expect(modeOf(host.path("sample/versions/1/sample.json"))).toBe("644");
});
