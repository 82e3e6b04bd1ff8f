import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Host, type Entry } from "../addons/host.ts";
import { tar } from "../addons/tar.ts";

const isRoot = process.geteuid?.() === 0;

/** What a control plane, a store or a local user could say to get something else run, or to stop what runs. */
describe("names", () => {
  const names = [
    "..",
    ".",
    "../../etc",
    "a/b",
    "a\\b",
    "a\u0000b",
    "a\nb",
    "-rf",
    ".hidden",
    "a.",
    "a ",
    " a",
    "%2e%2e",
    "a%00",
    "caf\u00e9",
    "cafe\u0301",
    "a\u202eb",
    "a\u200b",
    "x".repeat(129),
    "current",
    "Versions",
    "state",
    "tmp",
    "LOCK",
    "artifact.bin",
    "assignments.json",
  ];
  test("case 21: as an id or a version, each is refused before anything is fetched, and shown inert", async () => {
    using host = new Host();
    // As in the original, spaces around a version are nothing.
    const bad = names.filter((name) => name.trim() === name);
    host.assign(...bad.map((name, index) => host.program(`x${index}`, "1", undefined, { version: name })));
    const versions = await host.stage();
    expect(versions.document.addons.map(({ error }) => error?.code)).toEqual(bad.map(() => "unsafe_path"));
    host.assign(
      ...names
        .filter((name) => name.trim() !== "")
        .map((name) => host.program("x", "1", undefined, { addon_id: name })),
    );
    const ids = await host.stage();
    expect(new Set(ids.document.addons.map(({ error }) => error?.code))).toEqual(new Set(["unsafe_path"]));
    expect(ids.stderr).not.toMatch(/[\u0000\u202e\u200b]/u);
    expect(readdirSync(host.path())).toEqual([]);
  });

  test("twins that differ only in case are one", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"), host.program("Sample", "2"));
    const { document } = await host.stage();
    expect(document.addons.map(({ error }) => error?.code)).toEqual(["answer_ambiguous", "answer_ambiguous"]);
  });
});

describe("evidence", () => {
  test("a digest in each of its spellings is one digest", async () => {
    using host = new Host();
    const entry = host.program("sample", "1");
    const hex = String(entry["artifact_sha256"]);
    for (const spelling of [
      hex.toUpperCase(),
      `sha256:${hex}`,
      ` ${hex} `,
      Buffer.from(hex, "hex").toString("base64"),
    ]) {
      host.assign({ ...entry, artifact_sha256: spelling });
      expect((await host.stage()).exit).toBe(0);
    }
  });

  const digests: [string, (entry: Entry) => string, string][] = [
    ["63 digits", (entry) => String(entry["artifact_sha256"]).slice(1), "input_invalid"],
    ["65 digits", (entry) => `${entry["artifact_sha256"]}0`, "input_invalid"],
    [
      "the digest of the program, not of the bundle",
      () => new Bun.CryptoHasher("sha256").update("#!/bin/sh\n").digest("hex"),
      "hash_mismatch",
    ],
  ];
  test.each(digests)("case 30: %s is not", async (_name, digest, code) => {
    using host = new Host();
    const entry = host.program("sample", "1", gzipSync(tar({ name: "sample", data: "#!/bin/sh\n" })));
    host.assign({ ...entry, artifact_sha256: digest(entry) });
    expect((await host.stage()).document.addons[0]?.error?.code).toBe(code);
  });

  const signatures: [string, (host: Host, entry: Entry) => string, string][] = [
    [
      "of another program",
      (host) => String(host.program("other", "1")["artifact_signature"]),
      "signature_invalid",
    ],
    [
      "of another version",
      (host) => String(host.program("sample", "2")["artifact_signature"]),
      "signature_invalid",
    ],
    [
      "with a bit changed",
      (_host, entry) => changed(String(entry["artifact_signature"])),
      "signature_invalid",
    ],
    [
      "with the group's order added",
      (_host, entry) => malleated(String(entry["artifact_signature"])),
      "signature_invalid",
    ],
    [
      "of 63 bytes",
      (_host, entry) =>
        Buffer.from(String(entry["artifact_signature"]), "base64").subarray(1).toString("base64"),
      "signature_malformed",
    ],
    [
      "of 65 bytes",
      (_host, entry) => `00${Buffer.from(String(entry["artifact_signature"]), "base64").toString("hex")}`,
      "signature_malformed",
    ],
    [
      "with junk in it",
      (_host, entry) =>
        `${String(entry["artifact_signature"]).slice(0, 20)}!*${String(entry["artifact_signature"]).slice(20)}`,
      "signature_malformed",
    ],
    ["in minisign's form", () => "untrusted comment: x\nRUQ" + "A".repeat(97), "signature_malformed"],
    [
      "in SSH's form",
      () => "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----",
      "signature_malformed",
    ],
  ];
  test.each(signatures)("case 31: a signature %s", async (_name, make, code) => {
    using host = new Host();
    const entry = host.program("sample", "1");
    host.assign({ ...entry, artifact_signature: make(host, entry) });
    const { exit, document } = await host.stage();
    expect(document.addons[0]?.error?.code).toBe(code);
    expect(exit).toBe(6);
    expect(readdirSync(host.path())).toEqual([]);
  });

  const keys: [string, string, string][] = [
    ["of zeros", "00".repeat(32), "key_weak"],
    ["that is the neutral element", `01${"00".repeat(31)}`, "key_weak"],
    ["of 31 bytes", "11".repeat(31), "key_invalid"],
    ["of 33 bytes", "11".repeat(33), "key_invalid"],
  ];
  test.each(keys)("case 32: a key %s is refused where it is given", async (_name, key, code) => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    const { exit, document } = await host.stage(["--key", key]);
    expect({ exit, code: document.error?.code }).toEqual({ exit: 2, code });
    expect(existsSync(host.root)).toBe(false);
  });

  test("a private key that was passed by mistake is never shown", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    const both = Buffer.concat([
      Buffer.from(host.privateKey, "base64"),
      Buffer.from(host.publicKey, "base64"),
    ]);
    const { exit, stderr, document } = await host.stage(["--key", both.toString("base64")]);
    expect(exit).toBe(2);
    expect(stderr + JSON.stringify(document)).not.toContain(both.toString("base64").slice(0, 20));
  });
});

function changed(signature: string): string {
  const bytes = Buffer.from(signature, "base64");
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  return bytes.toString("base64");
}

/** The same point of the curve, with S written as S + L: verifiers that do not look take it for another signature. */
function malleated(signature: string): string {
  const bytes = Buffer.from(signature, "base64");
  const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order;
  Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse().copy(bytes, 32);
  return bytes.toString("base64");
}

describe("old versions", () => {
  test("case 35: a signed older one is refused, and what runs stays", async () => {
    using host = new Host();
    const old = host.program("sample", "1.9.0");
    host.assign(host.program("sample", "1.10.0"));
    await host.stage();
    host.assign(old);
    const { exit, document } = await host.stage();
    expect(exit).toBe(3);
    expect(document.addons).toMatchObject([
      { version: "1.10.0", outcome: "kept_last_known_good", error: { code: "downgrade_refused" } },
    ]);
  });

  test("only the override of this host allows it, and only the version that it names", async () => {
    using host = new Host();
    host.assign(host.program("sample", "3"));
    await host.stage();
    host.assign(host.program("sample", "1", undefined, { allow_downgrade: "1" }));
    expect((await host.stage()).document.addons[0]?.error?.code).toBe("downgrade_refused");
    host.allowDowngrade("sample", "2");
    expect((await host.stage(["--override", host.override])).document.addons[0]?.error?.code).toBe(
      "downgrade_refused",
    );
    host.allowDowngrade("sample", "1");
    const { exit, document } = await host.stage(["--override", host.override]);
    expect({ exit, warnings: document.warnings.map(({ code }) => code) }).toEqual({
      exit: 0,
      warnings: ["fields_ignored", "downgrade_allowed"],
    });
    expect(readFileSync(join(host.root, "audit.jsonl"), "utf8")).toContain('"downgrade_allowed"');
  });

  test("taking the assignment away and giving it again does not help, nor do lost specs", async () => {
    using host = new Host();
    host.assign(host.program("sample", "2"));
    await host.stage();
    host.assign();
    await host.stage();
    host.assign(host.program("sample", "1"));
    expect((await host.stage()).document.addons[0]?.error?.code).toBe("downgrade_refused");
    rmSync(host.path("sample/.waybill-specs.json"));
    expect((await host.stage()).document.addons[0]?.error?.code).toBe("downgrade_refused");
  });

  test("case 38: a version that nothing can follow is left by the same door", async () => {
    using host = new Host();
    host.assign(host.program("sample", "999999999999999"));
    await host.stage();
    host.assign(host.program("sample", "1"));
    host.allowDowngrade("sample", "1");
    expect((await host.stage(["--override", host.override])).exit).toBe(0);
    host.assign(host.program("sample", "2"));
    expect((await host.stage()).exit).toBe(0);
  });

  test("case 39: a bundle never keeps a file of the version before it", async () => {
    using host = new Host();
    const bundle = (name: string): Uint8Array =>
      gzipSync(tar({ name: "sample", data: "#!/bin/sh\n" }, { name, data: name }));
    host.assign(host.program("sample", "1", bundle("old.service")));
    await host.stage();
    host.assign(host.program("sample", "2", bundle("new.service")));
    await host.stage();
    expect(readdirSync(host.path("sample/current")).sort()).toEqual([
      ".waybill-addon.json",
      "artifact.tar.gz",
      "new.service",
      "sample",
    ]);
  });
});

describe("files that a local user planted", () => {
  const fifo = (path: string): void => void Bun.spawnSync(["mkfifo", path]);
  test.each([
    "assignments.json",
    "attempts.json",
    "addons/sample/.waybill-specs.json",
    "addons/sample/.waybill-verified.json",
    "addons/sample/versions/1/.waybill-addon.json",
  ])("a FIFO in place of %s does not make it wait", async (name) => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    rmSync(join(host.root, name), { force: true });
    fifo(join(host.root, name));
    const { document } = await host.stage();
    expect(document.addons[0]?.version).toBe("1");
  });

  test("a FIFO, a folder or a link in place of the log is not written to; staging goes on", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    const audit = join(host.root, "audit.jsonl");
    const victim = join(host.home, "victim");
    writeFileSync(victim, "mine");
    unlinkSync(audit);
    symlinkSync(victim, audit);
    host.assign(host.program("sample", "2"));
    const { exit, document } = await host.stage();
    expect({ exit, warnings: document.warnings.map(({ code }) => code) }).toEqual({
      exit: 0,
      warnings: ["audit_not_written"],
    });
    expect(readFileSync(victim, "utf8")).toBe("mine");
  });

  test("a link or a FIFO in place of the lock is refused", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    const lock = join(host.root, "lock");
    for (const plant of [(): void => symlinkSync("/dev/null", lock), (): void => fifo(lock)]) {
      unlinkSync(lock);
      plant();
      expect((await host.stage()).document.error?.code).toBe("unsafe_path");
    }
  });

  test("case 27: a program that was swapped for another inode is seen, times put back or not", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    const path = host.path("sample/versions/1/sample");
    const evil = `${path}.evil`;
    writeFileSync(evil, "#!/bin/sh\necho sample 9\n");
    chmodSync(evil, 0o755);
    Bun.spawnSync(["touch", "-r", path, evil]);
    renameSync(evil, path);
    expect((await host.stage()).document.addons).toMatchObject([{ action: "repair" }]);
    expect(host.read("sample/current/sample")).toBe("#!/bin/sh\necho sample 1\n");
  });

  test("a version folder that holds a folder is made whole or refused, never run through", async () => {
    using host = new Host();
    host.assign(host.program("sample", "1"));
    await host.stage();
    rmSync(host.path("sample/versions/1/sample"));
    mkdirSync(host.path("sample/versions/1/sample"));
    const { document } = await host.stage();
    expect(document.addons[0]?.ok).toBe(false);
    expect(existsSync(host.path("sample/current"))).toBe(false);
  });

  const overrides: [string, (host: Host) => void][] = [
    ["that everybody may write", (host) => chmodSync(host.override, 0o666)],
    [
      "that is a link",
      (host) => {
        renameSync(host.override, `${host.override}.real`);
        symlinkSync(`${host.override}.real`, host.override);
      },
    ],
    ...(isRoot
      ? [
          ["of somebody else", (host: Host): void => chownSync(host.override, 12_345, 0)] as [
            string,
            (host: Host) => void,
          ],
        ]
      : []),
  ];
  test.each(overrides)("case 49: an override %s is ignored, and said so", async (_name, spoil) => {
    using host = new Host();
    host.assign(host.program("sample", "2"));
    await host.stage();
    host.assign(host.program("sample", "1"));
    host.allowDowngrade("sample", "1");
    spoil(host);
    const { document } = await host.stage(["--override", host.override]);
    expect(document.warnings.map(({ code }) => code)).toContain("override_ignored");
    expect(document.addons[0]?.error?.code).toBe("downgrade_refused");
  });

  test("case 48: capabilities that are root by another name refuse the add-on whole", async () => {
    using host = new Host();
    host.assign(
      host.program("sample", "1", undefined, { os_capabilities: ["cap_net_raw", "cap_sys_admin"] }),
    );
    const { exit, document } = await host.stage();
    expect({ exit, code: document.addons[0]?.error?.code }).toEqual({ exit: 5, code: "capability_unsafe" });
  });
});
