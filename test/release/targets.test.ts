import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { TABLE, TARGETS, targetOf } from "../../release/targets.ts";
import { runProgram } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { BINARY_NAME, CAN_BUILD, checkout, HOST, releaseBuild, ROOT, sha256, VERSION } from "./built.ts";

setDefaultTimeout(1_800_000);

describe("the table of targets", () => {
  test("names every platform once, each with what it needs and whether it was run", () => {
    const names = TABLE.targets.map(({ name }) => name);
    expect(names).toEqual([
      "linux-x64",
      "linux-x64-baseline",
      "linux-arm64",
      "linux-x64-musl",
      "linux-arm64-musl",
      "darwin-x64",
      "darwin-arm64",
      "windows-x64",
    ]);
    for (const { needs, ran } of TABLE.targets)
      expect([needs.length > 5, ran.length > 1]).toEqual([true, true]);
    expect(targetOf("linux-x64-baseline").name).toBe("linux-x64");
    expect(() => targetOf("plan9-x64")).toThrow("wanted one of linux-x64,");
  });

  test("the base of this machine is the one of the table", () => {
    const here = TARGETS.find(({ name }) => name === `linux-${process.arch}`);
    if (here === undefined) return;
    expect(sha256(join(ROOT, `node_modules/@oven/bun-${here.bun}/bin/bun`))).toBe(here.base_sha256);
  });

  test("docs/release.md names each", () => {
    const page = readFileSync(join(ROOT, "docs/release.md"), "utf8");
    for (const { name } of TABLE.targets) expect(page).toContain(name);
  });
});

/** What the header of an executable says: its kind and processor. */
function headerOf(bytes: Buffer): string {
  const magic = bytes.readUInt32BE(0);
  if (magic === 0x7f454c46) return `ELF ${bytes.readUInt16LE(18)}`;
  if (magic === 0xcffaedfe) return `Mach-O ${bytes.readUInt32LE(4)}`;
  if (bytes.toString("latin1", 0, 2) === "MZ") return `PE ${bytes.readUInt16LE(bytes.readUInt32LE(60) + 4)}`;
  return "unknown";
}

const HEADERS: Readonly<Record<string, string>> = {
  "linux-x64": "ELF 62",
  "linux-x64-musl": "ELF 62",
  "linux-arm64": "ELF 183",
  "linux-arm64-musl": "ELF 183",
  "darwin-x64": "Mach-O 16777223",
  "darwin-arm64": "Mach-O 16777228",
  "windows-x64": "PE 34404",
};

/** How many pages of a Mach-O file differ from the hashes of its code signature, of how many. */
function wrongPages(file: Buffer): [number, number] {
  const commands = file.readUInt32LE(16);
  let at = 32;
  for (let index = 0; index < commands; index++) {
    // LC_CODE_SIGNATURE
    if (file.readUInt32LE(at) === 0x1d) return wrongIn(file, file.subarray(file.readUInt32LE(at + 8)));
    at += file.readUInt32LE(at + 4);
  }
  throw new Error("no code signature");
}

function wrongIn(file: Buffer, signature: Buffer): [number, number] {
  const blobs = signature.readUInt32BE(8);
  for (let index = 0; index < blobs; index++) {
    const directory = signature.subarray(signature.readUInt32BE(12 + index * 8 + 4));
    if (directory.readUInt32BE(0) !== 0xfade0c02) continue;
    const [hashes, slots, limit] = [16, 28, 32].map((offset) => directory.readUInt32BE(offset)) as [
      number,
      number,
      number,
    ];
    const [size, page] = [directory.readUInt8(36), 1 << directory.readUInt8(39)];
    let wrong = 0;
    for (let slot = 0; slot < slots; slot++) {
      const bytes = file.subarray(slot * page, Math.min((slot + 1) * page, limit));
      const found = createHash("sha256").update(bytes).digest().subarray(0, size);
      if (!found.equals(directory.subarray(hashes + slot * size, hashes + (slot + 1) * size))) wrong++;
    }
    return [wrong, slots];
  }
  throw new Error("no code directory");
}

describe.skipIf(!CAN_BUILD || process.env["WAYBILL_FULL"] === undefined)(
  "every target (only with WAYBILL_FULL)",
  () => {
    test("is built, is what it says, and unpacks to the same bytes", async () => {
      using place = temporaryFolder();
      const clone = await checkout(place.at("clone"));
      const fetched = await runProgram(["release/fetch"], {
        cwd: clone,
        env: { HOME: process.env["HOME"] ?? "/" },
      });
      expect([
        fetched.code,
        fetched.stdout.split("\n").filter((line) => line.startsWith("ok")).length,
      ]).toEqual([0, TARGETS.length]);
      const out = place.at("out");
      const ended = await releaseBuild(clone, ["--uncompressed", "--out", out]);
      expect([ended.code, ended.stderr]).toEqual([0, expect.any(String)]);
      for (const { name } of TARGETS) {
        const file = join(out, `waybill-${VERSION}-${name}${name.startsWith("windows") ? ".exe" : ""}`);
        const bytes = readFileSync(file);
        expect([name, headerOf(bytes)]).toEqual([name, HEADERS[name] ?? ""]);
        // The program is inside, and it is ours.
        expect(bytes.includes("carries software from a source tree to a running host")).toBe(true);
      }
      expect(wrongPages(readFileSync(join(out, `waybill-${VERSION}-darwin-arm64`)))[0]).toBe(0);
      // Said in docs/release.md: the compiler leaves a signature that does not fit. A runtime that mends it is noticed here.
      expect(wrongPages(readFileSync(join(out, `waybill-${VERSION}-darwin-x64`)))[0]).toBeGreaterThan(0);

      // The same again, elsewhere: every executable is equal.
      const again = await checkout(place.at("another/place"));
      expect((await releaseBuild(again, ["--uncompressed", "--out", place.at("again")])).code).toBe(0);
      for (const { name } of TARGETS) {
        const file = `waybill-${VERSION}-${name}${name.startsWith("windows") ? ".exe" : ""}`;
        expect([name, sha256(place.at("again", file))]).toEqual([name, sha256(join(out, file))]);
      }
    });

    test("the downloads of this machine's unpack to the same bytes", async () => {
      using place = temporaryFolder();
      const clone = await checkout(place.at("clone"));
      const out = place.at("out");
      expect((await releaseBuild(clone, ["--target", HOST, "--out", out])).code).toBe(0);
      const file = join(out, BINARY_NAME);
      for (const [tool, end] of [
        ["xz", "xz"],
        ["zstd", "zst"],
      ] as const) {
        const unpacked = await runProgram([
          "sh",
          "-c",
          `${tool} -dc "$1" | sha256sum`,
          "sh",
          `${file}.${end}`,
        ]);
        expect([end, unpacked.stdout.split(" ")[0]]).toEqual([end, sha256(file)]);
        expect(statSync(`${file}.${end}`).size).toBeLessThan(statSync(file).size / 2);
      }
    });
  },
);
