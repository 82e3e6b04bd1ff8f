import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, runWaybill } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";
import {
  BINARY_NAME,
  built,
  CAN_BUILD,
  checkout,
  copyOf,
  HOST,
  releaseBuild,
  ROOT,
  sha256,
  VERSION,
  type Built,
} from "./built.ts";

// Each compiles; a busy machine takes its time.
setDefaultTimeout(240_000);

describe.skipIf(!CAN_BUILD)("release/build (needs Linux, dpkg-deb and the compiled binary)", () => {
  test("gives what a user needs", async () => {
    const { folder } = await built();
    // Others may serve it.
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    expect(readdirSync(folder).sort()).toEqual(
      [
        "LICENSES.txt",
        "SHA256SUMS",
        "SHA256SUMS.minisig",
        "SHA256SUMS.sig",
        "SHA256SUMS.sigstore.json",
        "install.sh",
        "targets.json",
        "verify",
        BINARY_NAME,
        `${BINARY_NAME}.provenance.json`,
        `${BINARY_NAME}.sigstore.json`,
        `waybill-${VERSION}-capture.json`,
        `waybill-${VERSION}-source.tar.gz`,
        `waybill-${VERSION}-source.tar.gz.sigstore.json`,
        `waybill-${VERSION}.cdx.json`,
        `waybill_${VERSION}_${process.arch === "x64" ? "amd64" : "arm64"}.deb`,
      ].sort(),
    );
  });

  test("gives the same bytes in another folder, without a network", async () => {
    const first = await built();
    using place = temporaryFolder();
    const clone = await checkout(place.at("some/where/else"));
    const args = ["--uncompressed", "--target", HOST, "--out", place.at("out")];
    const ended = await releaseBuild(clone, args);
    expect(ended).toMatchObject({ code: 0 });
    // The signed list is the whole release: what it names is equal when it is.
    expect(readFileSync(place.at("out/SHA256SUMS"), "utf8")).toBe(
      readFileSync(join(first.folder, "SHA256SUMS"), "utf8"),
    );
    expect(sha256(place.at("out", BINARY_NAME))).toBe(sha256(join(first.folder, BINARY_NAME)));
  });

  test("writes nothing over what is there", async () => {
    const { folder, checkout: clone } = await built();
    const ended = await releaseBuild(clone, ["--uncompressed", "--target", HOST, "--out", folder]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("exists; remove it");
  });

  const usage: [string[], string][] = [
    [["--nonsense"], "Unknown option '--nonsense'"],
    [["--target", "plan9-x64"], "there is no target plan9-x64; wanted one of linux-x64,"],
  ];
  test.each(usage)("refuses %j in a line", async (args, message) => {
    const ended = await releaseBuild(ROOT, args);
    expect([ended.code, ended.stdout, ended.stderr.trimEnd().split("\n").length]).toEqual([1, "", 1]);
    expect(ended.stderr).toStartWith(`release/build: ${message}`);
  });

  test("that fails on its way leaves nothing", async () => {
    const { checkout: clone } = await built();
    using place = temporaryFolder();
    const args = [
      "--uncompressed",
      "--target",
      HOST,
      "--key",
      place.at("no.key"),
      "--out",
      place.at("x/out"),
    ];
    const ended = await releaseBuild(clone, args);
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining("no.key")]);
    expect(readdirSync(place.at("x"))).toEqual([]);
  });

  test("the SBOM names the runtime, and each package that is inside", async () => {
    const { folder, checkout: clone } = await built();
    const bom = JSON.parse(readFileSync(join(folder, `waybill-${VERSION}.cdx.json`), "utf8"));
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
    expect(bom.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/u,
    );
    const names: string[] = bom.components.map((component: { name: string }) => component.name);
    const manifest = JSON.parse(readFileSync(join(clone, "package.json"), "utf8"));
    for (const name of ["bun", ...Object.keys(manifest.dependencies)]) expect(names).toContain(name);
    // Whatever the compiler took from node_modules is named, and nothing that only the workshop uses.
    const metafile = join(clone, "meta.json");
    const words = [
      "scripts/bun",
      "build",
      "src/main.ts",
      "--target=bun",
      "--splitting",
      "--outdir=meta",
      `--metafile=${metafile}`,
    ];
    expect(await runProgram(words, { cwd: clone, env: { HOME: process.env["HOME"] ?? "/" } })).toMatchObject({
      code: 0,
    });
    const inputs = Object.keys(JSON.parse(readFileSync(metafile, "utf8")).inputs);
    const taken = new Set(
      inputs.flatMap((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(path)?.[1] ?? []),
    );
    expect(taken.size).toBeGreaterThan(4);
    expect([...taken].filter((name) => !names.includes(name))).toEqual([]);
    for (const name of Object.keys(manifest.devDependencies).filter((one) => one !== "bun"))
      expect(names).not.toContain(name);
    for (const component of bom.components.slice(1))
      expect(component.hashes[0].content).toMatch(/^[0-9a-f]{128}$/u);
  });

  test("the licences of everything inside are there", async () => {
    const { folder } = await built();
    const text = readFileSync(join(folder, "LICENSES.txt"), "utf8");
    const bom = JSON.parse(readFileSync(join(folder, `waybill-${VERSION}.cdx.json`), "utf8"));
    for (const { name, version } of bom.components) expect(text).toContain(`\n${name} ${version} (`);
    for (const inside of ["JavaScriptCore", "boringssl", "Paul Miller", "Apache License"])
      expect(text).toContain(inside);
  });

  test("says how it was made, signed, and nothing that it did not see", async () => {
    const { folder, key } = await built();
    const args = [
      join(folder, `${BINARY_NAME}.sigstore.json`),
      "--subject",
      join(folder, BINARY_NAME),
      "--key",
      `${key}.pub`,
    ];
    const finished = await runWaybill([
      "verify",
      "attestation",
      ...args,
      "--predicate-type",
      "https://slsa.dev/provenance/v1",
      "--json",
    ]);
    expect(finished.code).toBe(0);
    const [{ predicate }] = JSON.parse(finished.stdout).accepted;
    expect(predicate.buildDefinition.externalParameters).toEqual({
      version: VERSION,
      target: HOST,
      draft: true,
    });
    expect(Object.keys(predicate.runDetails)).toEqual(["builder"]);
  });
});

async function verify(
  { folder }: Pick<Built, "folder">,
  key: string,
  ...more: string[]
): Promise<[number, string]> {
  const finished = await runProgram([join(folder, "verify"), "--key", key, ...more], {
    env: { HOME: process.env["HOME"] ?? "/" },
  });
  return [finished.code, finished.stderr];
}

describe.skipIf(!CAN_BUILD)("release/verify", () => {
  test("proves a release by either tool", async () => {
    const release = await built();
    for (const key of [release.minisign, release.ssh]) {
      const finished = await runProgram([join(release.folder, "verify"), "--key", key]);
      expect(finished).toMatchObject({ code: 0, stderr: "" });
      // Whichever tool was there first: every form of the list's signature, and each statement.
      expect(finished.stdout.match(/^ok  .*$/gmu)).toEqual([
        `ok  SHA256SUMS is signed by ${key}`,
        expect.stringMatching(/^ok {2}\d+ files are those of the list$/u),
        `ok  SHA256SUMS.minisig: checked by ${BINARY_NAME}`,
        `ok  SHA256SUMS.sig: checked by ${BINARY_NAME}`,
        ...["SHA256SUMS", BINARY_NAME, `waybill-${VERSION}-source.tar.gz`].map(
          (subject) => `ok  ${subject}: its statement is signed by the same key`,
        ),
      ]);
    }
  });

  test.skipIf(process.env["WAYBILL_FULL"] === undefined)(
    "proves it by building it again (only with WAYBILL_FULL)",
    async () => {
      const release = await built();
      expect(await verify(release, release.ssh, "--rebuild", release.checkout)).toEqual([0, ""]);
    },
  );

  const broken: [string, string, (folder: string) => void][] = [
    [
      "one byte more in the executable",
      "has sha256",
      (folder) => appendFileSync(join(folder, BINARY_NAME), "x"),
    ],
    [
      "another sum in the list",
      "not signed by this key",
      (folder) => appendFileSync(join(folder, "SHA256SUMS"), `${"0".repeat(64)}  x\n`),
    ],
    [
      "a list without its signatures",
      "not signed by this key",
      (folder) => ["minisig", "sig"].forEach((end) => rmSync(join(folder, `SHA256SUMS.${end}`))),
    ],
    [
      "a statement about something else",
      "is no statement of this key",
      (folder) => {
        const source = `waybill-${VERSION}-source.tar.gz.sigstore.json`;
        writeFileSync(join(folder, `${BINARY_NAME}.sigstore.json`), readFileSync(join(folder, source)));
      },
    ],
    [
      "a list whose Sigstore bundle is about something else",
      "is no statement of this key about SHA256SUMS",
      (folder) => {
        const source = `waybill-${VERSION}-source.tar.gz.sigstore.json`;
        writeFileSync(join(folder, "SHA256SUMS.sigstore.json"), readFileSync(join(folder, source)));
      },
    ],
    [
      "nothing of the list",
      "no file of the list is here",
      (folder) => {
        for (const name of readdirSync(folder))
          if (!/^(?:SHA256SUMS|verify$)/u.test(name)) rmSync(join(folder, name));
        const list = readFileSync(join(folder, "SHA256SUMS"), "utf8");
        if (list.includes("  verify\n")) rmSync(join(folder, "verify"));
      },
    ],
  ];
  test.each(broken)("refuses %s", async (_what, message, change) => {
    const release = await built();
    using place = temporaryFolder();
    const folder = await copyOf(release, place.at("copy"));
    change(folder);
    // What is told by a signature is told by either; the rest comes after it, and takes a second.
    const isOfSignature = message === "not signed by this key";
    for (const key of isOfSignature ? [release.minisign, release.ssh] : [release.ssh]) {
      const finished = await runProgram([join(release.folder, "verify"), "--key", key, folder]);
      expect([finished.code, finished.stderr]).toEqual([1, expect.stringContaining(message)]);
    }
  });

  test("refuses another key, and no key", async () => {
    const release = await built();
    using place = temporaryFolder();
    const other = JSON.parse((await runWaybill(["key", "new", "--out", place.at("k"), "--json"])).stdout);
    expect(await verify(release, other.minisign)).toEqual([
      1,
      expect.stringContaining("not signed by this key"),
    ]);
    expect(await verify(release, other.ssh)).toEqual([1, expect.stringContaining("not signed by this key")]);
    expect(await verify(release, "/etc/passwd")).toEqual([1, expect.stringContaining("has no line RW")]);
    expect(await verify(release, "nonsense")).toEqual([1, expect.stringContaining("this is no key")]);
    expect(await verify(release, "")).toEqual([1, expect.stringContaining("--key is missing")]);
  });
});

describe.skipIf(!CAN_BUILD)("release/prepare", () => {
  test("names each check that fails", async () => {
    const release = await built();
    using place = temporaryFolder();
    const clone = await checkout(place.at("clone"));
    const prepare = async (): Promise<string> =>
      (await runProgram(["release/prepare"], { cwd: clone, env: { HOME: process.env["HOME"] ?? "/" } }))
        .stderr;
    expect(await prepare()).toContain("ok      clean-tree\n");
    appendFileSync(join(clone, "docs/commands.md"), "stale\n");
    const table = join(clone, "release/targets.json");
    writeFileSync(table, readFileSync(table, "utf8").replace(/"bun": "\d[^"]+"/u, '"bun": "0.0.1"'));
    // A package without a licence in its folder; the installation leaves a folder as it finds it.
    rmSync(join(clone, "node_modules/citty/LICENSE"));
    const told = await prepare();
    for (const name of [
      "clean-tree",
      "changelog-dated",
      "pages-generated",
      "runtime-pinned",
      "licences-known",
    ])
      expect(told).toContain(`FAILED  ${name}: `);
    for (const name of ["version-new", "tools"]) expect(told).toContain(`ok      ${name}\n`);
    expect(release.folder).not.toBe(clone);
  });
});
