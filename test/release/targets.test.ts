import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { TABLE, TARGETS, targetOf } from "../../release/targets.ts";
import { signAdHoc } from "../../scripts/mach-o.ts";
import { jsonOf, runProgram, runWaybill } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { BINARY_NAME, CAN_BUILD, checkout, HOST, releaseBuild, ROOT, sha256, VERSION } from "./built.ts";
import { signedPages } from "./signed-pages.ts";

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

/** The libraries and the loader that a Linux executable names. */
const LINKED: readonly [target: string, needed: string[], loader: string][] = [
  [
    "linux-arm64",
    ["ld-linux-aarch64.so.1", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"],
    "/lib/ld-linux-aarch64.so.1",
  ],
  ["linux-x64-musl", ["libc.musl-x86_64.so.1", "libstdc++.so.6"], "/lib/ld-musl-x86_64.so.1"],
  ["linux-arm64-musl", ["libc.musl-aarch64.so.1", "libstdc++.so.6"], "/lib/ld-musl-aarch64.so.1"],
];

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
      // What the others have to have, as the table says it.
      for (const [target, needed, loader] of LINKED) {
        const words = ["readelf", "--wide", "--dynamic", "--program-headers"];
        const { stdout } = await runProgram([...words, join(out, `waybill-${VERSION}-${target}`)]);
        const names = [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/gu)].map(([, name = ""]) => name);
        expect([target, names.toSorted()]).toEqual([target, needed]);
        expect(stdout).toContain(`[Requesting program interpreter: ${loader}]`);
      }
      // The code signatures cover all before them, and each page is the one that they say.
      for (const [target, identifier] of [
        ["darwin-x64", "waybill"],
        ["darwin-arm64", "a.out"],
      ] as const) {
        const file = readFileSync(join(out, `waybill-${VERSION}-${target}`));
        const found = signedPages(file);
        expect([target, found]).toEqual([
          target,
          { ...found, wrong: 0, signedTo: found.signatureAt, identifier },
        ]);
        // The compiler signs for arm64 itself: what it wrote is what we would have written.
        expect([target, signAdHoc(file, identifier).equals(file)]).toEqual([target, true]);
      }

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
      const key = place.at("key");
      const made = jsonOf(await runWaybill(["key", "new", "--out", key, "--json"]));
      const args = ["--target", HOST, "--key", key, "--out", out];
      expect((await releaseBuild(clone, args)).code).toBe(0);
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

      // Whoever fetched a compressed one alone proves as much, and installs it.
      const digest = sha256(file);
      rmSync(file);
      for (const end of ["xz", "zst"]) {
        const words = ["--from", out, "--key", String(made["ssh"]), "--dir", place.at(`bin-${end}`)];
        const installed = await runProgram(["sh", join(out, "install.sh"), ...words], { limitMs: 200_000 });
        expect([installed.code, installed.stderr]).toEqual([0, ""]);
        expect(sha256(place.at(`bin-${end}/waybill`))).toBe(digest);
        const proven = await runProgram([join(out, "verify"), "--key", String(made["ssh"])], {
          env: { HOME: place.path },
        });
        expect([proven.code, proven.stderr]).toEqual([0, ""]);
        expect(proven.stdout).toContain(`ok  SHA256SUMS.minisig: checked by ${BINARY_NAME}\n`);
        rmSync(`${file}.${end}`);
      }
      const without = await runProgram([join(out, "verify"), "--key", String(made["ssh"])]);
      expect([without.code, without.stdout]).toEqual([0, expect.stringContaining("were not checked")]);

      // Debian's own judge of packages: what it would have otherwise is named in the package, with the reason.
      const debs = [...new Bun.Glob("*.deb").scanSync({ cwd: out, absolute: true })];
      const judged = await runProgram(["lintian", "--allow-root", "--fail-on", "error,warning", ...debs], {
        limitMs: 600_000,
      });
      expect([debs.length, judged.code, judged.stdout]).toEqual([1, 0, ""]);
    });
  },
);
