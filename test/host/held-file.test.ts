import { describe, expect, test } from "bun:test";
import { chownSync, linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { newHeldFile, removeLeftovers } from "../../src/host/held-file.ts";
import { isPendingName } from "../../src/host/pending-name.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

const LEFT = ".out.tar.0123456789ab.tmp";

function left(folder: TemporaryFolder): string[] {
  return readdirSync(folder.path).sort();
}

describe("what a killed writer left", () => {
  test("is removed and named", () => {
    using folder = temporaryFolder();
    for (const name of [LEFT, ".out.tar.ffffffffffff.tmp", "out.tar"]) writeFileSync(folder.at(name), "x");
    expect(removeLeftovers(folder.at("out.tar")).sort()).toEqual([
      folder.at(LEFT),
      folder.at(".out.tar.ffffffffffff.tmp"),
    ]);
    expect(left(folder)).toEqual(["out.tar"]);
  });

  test("is known by the beginning of a long name", () => {
    using folder = temporaryFolder();
    const long = `${"n".repeat(80)}.tar`;
    const name = `.${"n".repeat(50)}.0123456789ab.tmp`;
    writeFileSync(folder.at(name), "x");
    expect(removeLeftovers(folder.at(long))).toEqual([folder.at(name)]);
  });

  test("is nothing where there is no folder", () => {
    using folder = temporaryFolder();
    expect(removeLeftovers(folder.at("none/out.tar"))).toEqual([]);
  });

  const kept: [string, (folder: TemporaryFolder) => void][] = [
    ["a folder", (folder) => mkdirSync(folder.at(LEFT))],
    [
      "a link",
      (folder) => {
        writeFileSync(folder.at("precious"), "x");
        symlinkSync(folder.at("precious"), folder.at(LEFT));
      },
    ],
    [
      "a file that has another name too",
      (folder) => {
        writeFileSync(folder.at("precious"), "x");
        linkSync(folder.at("precious"), folder.at(LEFT));
      },
    ],
    ["a FIFO", (folder) => void Bun.spawnSync(["mkfifo", folder.at(LEFT)])],
  ];
  test.each(kept)("is not %s of such a name", (_what, plant) => {
    using folder = temporaryFolder();
    plant(folder);
    const before = left(folder);
    expect(before).toContain(LEFT);
    expect(removeLeftovers(folder.at("out.tar"))).toEqual([]);
    expect(left(folder)).toEqual(before);
  });

  test.skipIf(process.geteuid?.() !== 0)("is not somebody else's (needs root)", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at(LEFT), "x");
    chownSync(folder.at(LEFT), 12_345, 12_345);
    expect(removeLeftovers(folder.at("out.tar"))).toEqual([]);
    expect(left(folder)).toEqual([LEFT]);
  });

  test("is not what somebody is writing", () => {
    using folder = temporaryFolder();
    const { file, release } = newHeldFile(folder.at("out.tar"), 0o644);
    try {
      file.write(new Uint8Array(7));
      writeFileSync(folder.at(LEFT), "x");
      expect(removeLeftovers(folder.at("out.tar"))).toEqual([folder.at(LEFT)]);
      file.commit();
      expect(left(folder)).toEqual(["out.tar"]);
    } finally {
      file.discard();
      release();
    }
  });

  test("is what nobody writes any more", () => {
    using folder = temporaryFolder();
    const { file, release } = newHeldFile(folder.at("out.tar"), 0o644);
    release();
    expect(removeLeftovers(folder.at("out.tar"))).toEqual([file.temporary]);
    file.discard();
  });
});

describe("a name of what is being written", () => {
  const rows: [string, boolean][] = [
    [LEFT, true],
    [".out.tar.0123456789a.tmp", false],
    [".out.tar.0123456789abc.tmp", false],
    [".out.tar.0123456789aB.tmp", false],
    [".out.tar.0123456789ag.tmp", false],
    [".out.tar..tmp", false],
    ["out.tar.0123456789ab.tmp", false],
    [".out.tar.0123456789ab.tmp2", false],
    [".out.tar.gz.0123456789ab.tmp", false],
    ["x.out.tar.0123456789ab.tmp", false],
  ];
  test.each(rows)("%s: %p", (name, wanted) => {
    expect(isPendingName("/somewhere/out.tar", name)).toBe(wanted);
  });
});
