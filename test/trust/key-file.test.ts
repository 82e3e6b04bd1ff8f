import { describe, expect, test } from "bun:test";
import { createPublicKey, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { jsonOf, PROGRAM, runProgram } from "../support/binary.ts";
import { HAS_STRACE } from "../support/faults.ts";
import { publicKeyOf } from "../../src/trust/ed25519.ts";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { readPassphrase } from "../../src/trust/key-text.ts";
import { refusalOf } from "./refusal.ts";
import { inFolder, waybill, waybillJson } from "./run-waybill.ts";
import { HAS, tool } from "./tools.ts";
import { inspectKeyFile, loadSigningKey } from "./keys-in-files.ts";

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

describe("key new", () => {
  test.each(["000", "022", "077", "0177"])("has the exact modes under umask %s", async (umask) => {
    await inFolder(async (cwd) => {
      const ran = await waybillJson(["key", "new", "--out", "release.key"], { cwd, umask });
      expect([ran.exit, ran.stderr]).toEqual([0, ""]);
      expect(modeOf(join(cwd, "release.key"))).toBe("600");
      expect(modeOf(join(cwd, "release.key.pub"))).toBe("644");
      const key = loadSigningKey(join(cwd, "release.key"));
      const pub = createPublicKey(readFileSync(join(cwd, "release.key.pub")));
      expect(pub.export({ format: "jwk" })["x"]).toBe(Buffer.from(key.publicKey.bytes).toString("base64url"));
      expect(ran.document).toMatchObject({
        schema: "waybill.key-new/v1",
        file: "release.key",
        public_file: "release.key.pub",
        encrypted: false,
        ...formsOf(key.publicKey),
      });
      expectNoSecret(`${ran.stdout}${ran.stderr}`, key.seed());
    });
  });

  test.each(["release.key", "release.key.pub"])(
    "never overwrites %s and leaves nothing half-made",
    async (taken) => {
      await inFolder(async (cwd) => {
        writeFileSync(join(cwd, taken), "older");
        const ran = await waybillJson(["key", "new", "--out", "release.key"], { cwd });
        expect([ran.exit, ran.document.error?.code]).toEqual([2, "file_exists"]);
        expect(readdirSync(cwd)).toEqual([taken]);
        expect(readFileSync(join(cwd, taken), "utf8")).toBe("older");
      });
    },
  );

  test("does not write through a link that stands in its place", async () => {
    await inFolder((cwd) => {
      symlinkSync(join(cwd, "elsewhere"), join(cwd, "release.key"));
      expect(refusalOf(() => createKeyFile(join(cwd, "release.key"))).code).toBe("file_exists");
      symlinkSync(join(cwd, "elsewhere"), join(cwd, "other.key.pub"));
      expect(refusalOf(() => createKeyFile(join(cwd, "other.key"))).code).toBe("file_exists");
      expect(readdirSync(cwd).sort()).toEqual(["other.key.pub", "release.key"]);
    });
  });

  test("a folder that does not exist", async () => {
    await inFolder(async (cwd) => {
      const ran = await waybillJson(["key", "new", "--out", "no/release.key"], { cwd });
      expect([ran.exit, ran.document.error?.code]).toEqual([1, "output_not_written"]);
      expect(readdirSync(cwd)).toEqual([]);
    });
  });

  test.skipIf(!HAS_STRACE)("leaves nothing where neither a hard link nor a rename can be made", async () => {
    await inFolder(async (cwd) => {
      const faults = ["link,linkat:error=EPERM", "rename,renameat,renameat2:error=EIO"];
      const inject = faults.flatMap((fault) => ["-e", `inject=${fault}`]);
      const words = ["strace", "-f", "-qq", "-o", "/dev/null", ...inject, ...PROGRAM];
      const ran = await runProgram([...words, "key", "new", "--out", "release.key", "--json"], { cwd });
      expect([ran.code, jsonOf(ran)["error"]]).toMatchObject([1, { code: "output_not_written" }]);
      expect(readdirSync(cwd)).toEqual([]);
    });
  });

  test("two keys are never the same", async () => {
    await inFolder((cwd) => {
      const keys = ["a", "b"].map((name) => createKeyFile(join(cwd, name)).publicKey.keyid);
      expect(new Set(keys).size).toBe(2);
    });
  });
});

describe("a passphrase", () => {
  test.skipIf(!HAS.openssl)("encrypts so that openssl reads the key, and only with it", async () => {
    await inFolder(async (cwd) => {
      writeFileSync(join(cwd, "pw"), "correct horse\n");
      writeFileSync(join(cwd, "wrong"), "battery staple\n");
      const made = await waybillJson(["key", "new", "--out", "k", "--passphrase-file", "pw"], { cwd });
      expect([made.exit, made.document["encrypted"]]).toEqual([0, true]);
      expect(readFileSync(join(cwd, "k"), "utf8")).toStartWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
      const read = await tool(["openssl", "pkey", "-in", "k", "-passin", "file:pw", "-pubout"], cwd);
      expect(read.stdout).toBe(readFileSync(join(cwd, "k.pub"), "utf8"));
      expect(
        (await tool(["openssl", "pkey", "-in", "k", "-passin", "file:wrong", "-pubout"], cwd)).code,
      ).not.toBe(0);
      const structure = await tool(["openssl", "asn1parse", "-in", "k"], cwd);
      expect(structure.stdout).toMatch(/PBKDF2[\s\S]*:0927C0[\s\S]*hmacWithSHA256[\s\S]*aes-256-cbc/u);

      const shown = await waybillJson(["key", "show", "k", "--passphrase-file", "pw"], { cwd });
      expect(shown.document).toMatchObject({ kind: "private", keyid: made.document["keyid"] });
      const refused = await waybillJson(["key", "show", "k", "--passphrase-file", "wrong"], { cwd });
      expect([refused.exit, refused.document.error?.message]).toEqual([
        2,
        'key file "k" cannot be decrypted: the passphrase is wrong',
      ]);
      expect((await waybillJson(["key", "show", "k"], { cwd })).document.error?.code).toBe("key_invalid");
      for (const ran of [made, shown, refused]) expect(`${ran.stdout}${ran.stderr}`).not.toContain("horse");
    });
  });

  test("is the one line of its file", async () => {
    await inFolder((cwd) => {
      const file = join(cwd, "pw");
      const read = (text: string): string => {
        writeFileSync(file, text);
        return Buffer.from(readPassphrase({ file })).toString();
      };
      expect([read("höhe\n"), read("a b\r\n"), read(" x")]).toEqual(["höhe", "a b", " x"]);
      expect(refusalOf(() => read("\n")).code).toBe("input_invalid");
      expect(refusalOf(() => read("one\ntwo\n")).code).toBe("input_invalid");
    });
  });

  test("an unreadable passphrase file leaves no key", async () => {
    await inFolder(async (cwd) => {
      const ran = await waybillJson(["key", "new", "--out", "k", "--passphrase-file", "none"], { cwd });
      expect([ran.exit, ran.document.error?.code]).toEqual([2, "file_unreadable"]);
      expect(readdirSync(cwd)).toEqual([]);
    });
  });
});

describe("openssl's keys", () => {
  test.skipIf(!HAS.openssl)("plain and encrypted", async () => {
    await inFolder(async (cwd) => {
      writeFileSync(join(cwd, "pw"), "correct horse\n");
      await tool(["openssl", "genpkey", "-algorithm", "ed25519", "-out", "plain"], cwd);
      const convert = ["pkcs8", "-topk8", "-in", "plain", "-passout", "file:pw", "-v2", "aes-256-cbc"];
      await tool(
        ["openssl", ...convert, "-v2prf", "hmacWithSHA256", "-iter", "1000", "-out", "encrypted"],
        cwd,
      );
      await tool(["openssl", ...convert, "-v2prf", "hmacWithSHA512", "-out", "sha512"], cwd);
      await tool(["openssl", ...convert.slice(0, -2), "-scrypt", "-out", "scrypt"], cwd);
      await tool(["openssl", "pkey", "-in", "plain", "-pubout", "-out", "pub"], cwd);
      const passphrase = readPassphrase({ file: join(cwd, "pw") });
      const keyids = ["plain", "encrypted"].map((name) => {
        chmodSync(join(cwd, name), 0o600);
        return loadSigningKey(join(cwd, name), passphrase).publicKey.keyid;
      });
      expect(new Set([...keyids, inspectKeyFile(join(cwd, "pub")).publicKey.keyid]).size).toBe(1);
      for (const [name, wanted] of [
        ["sha512", "HMAC-SHA256"],
        ["scrypt", "PBKDF2"],
      ] as const) {
        chmodSync(join(cwd, name), 0o600);
        const refusal = refusalOf(() => loadSigningKey(join(cwd, name), passphrase));
        expect(refusal.code).toBe("key_invalid");
        expect(refusal.message).toContain(wanted);
      }
    });
  });
});

describe("the mode of a private key", () => {
  const table: readonly (readonly [number, boolean])[] = [
    [0o600, true],
    [0o400, true],
    [0o640, false],
    [0o604, false],
    [0o660, false],
    [0o610, false],
    [0o700, false],
    [0o644, false],
  ];
  test.each(table)("%o: used is %p", async (mode, used) => {
    await inFolder((cwd) => {
      const { file, publicKey } = createKeyFile(join(cwd, "k"));
      chmodSync(file, mode);
      if (used) {
        expect(loadSigningKey(file).publicKey.keyid).toBe(publicKey.keyid);
        return;
      }
      for (const work of [() => loadSigningKey(file), () => inspectKeyFile(file)]) {
        const refusal = refusalOf(work);
        expect([refusal.code, refusal.exitCode]).toEqual(["key_permissions", 2]);
        expect(refusal.message).toContain(`mode 0${mode.toString(8)}`);
        expect(refusal.hint).toBe(`chmod 600 "${file}"`);
      }
    });
  });

  test("comes before the question for a passphrase", async () => {
    await inFolder((cwd) => {
      const { file } = createKeyFile(join(cwd, "k"), new TextEncoder().encode("correct horse"));
      chmodSync(file, 0o644);
      expect(refusalOf(() => loadSigningKey(file)).code).toBe("key_permissions");
    });
  });

  test.skipIf(process.geteuid?.() !== 0)("a key that belongs to another user", async () => {
    await inFolder((cwd) => {
      const { file } = createKeyFile(join(cwd, "k"));
      chownSync(file, 65_534, 65_534);
      const refusal = refusalOf(() => loadSigningKey(file));
      expect(refusal.code).toBe("key_permissions");
      expect(refusal.message).toContain("belongs to user 65534; this is user 0");
    });
  });

  test("a folder, a missing file, binary and a huge file", async () => {
    await inFolder((cwd) => {
      const write = (name: string, bytes: Uint8Array): string => {
        writeFileSync(join(cwd, name), bytes, { mode: 0o600 });
        return join(cwd, name);
      };
      mkdirSync(join(cwd, "folder"));
      expect(refusalOf(() => loadSigningKey(join(cwd, "folder"))).code).toBe("file_unreadable");
      expect(refusalOf(() => loadSigningKey(join(cwd, "none"))).code).toBe("file_unreadable");
      const binary = write("binary", Uint8Array.of(0xff, 0xfe, ...randomBytes(31)));
      expect(refusalOf(() => loadSigningKey(binary)).message).toMatch(/is 33 bytes and no text/u);
      const huge = write("huge", new Uint8Array(20_000).fill(65));
      expect(refusalOf(() => loadSigningKey(huge)).message).toMatch(/more than 16384 bytes/u);
    });
  });
});

describe("key show", () => {
  test("public files of every form, and private ones, tell the same key", async () => {
    await inFolder(async (cwd) => {
      const { publicKey } = createKeyFile(join(cwd, "k"));
      const forms = formsOf(publicKey);
      const seed = loadSigningKey(join(cwd, "k")).seed();
      const write = (name: string, text: string, mode: number): void => {
        writeFileSync(join(cwd, name), text);
        chmodSync(join(cwd, name), mode);
      };
      write("hex", `${forms.hex}\n`, 0o644);
      write("base64", forms.base64, 0o644);
      write("ssh", `${forms.ssh} me@here\n`, 0o600);
      write("minisign", `untrusted comment: x\n${forms.minisign}\n`, 0o600);
      write("both", `${Buffer.concat([seed, publicKey.bytes]).toString("hex")}\n`, 0o600);
      for (const [file, kind] of [
        ["k", "private"],
        ["k.pub", "public"],
        ["hex", "public"],
        ["base64", "public"],
        ["ssh", "public"],
        ["minisign", "public"],
        ["both", "private"],
      ] as const) {
        const ran = await waybillJson(["key", "show", file], { cwd });
        expect(ran.document).toMatchObject({ ok: true, kind, file, ...forms });
        expectNoSecret(`${ran.stdout}${ran.stderr}`, seed);
      }
      const text = await waybill(["key", "show", "k"], { cwd });
      for (const line of [forms.keyid, forms.hex, forms.base64, forms.ssh, forms.minisign, forms.spki_pem])
        expect(text.stdout).toContain(line);
      expectNoSecret(text.stdout, seed);
    });
  });

  test("32 bare bytes that only the owner may read are not guessed at", async () => {
    await inFolder(async (cwd) => {
      // A seed that is also a good public key: the case in which guessing would print it.
      let seed = randomBytes(32);
      for (;;) {
        try {
          inspectKeyFileOf(cwd, seed.toString("hex"), 0o644);
          break;
        } catch {
          seed = randomBytes(32);
        }
      }
      chmodSync(join(cwd, "bare"), 0o600);
      const refused = await waybillJson(["key", "show", "bare"], { cwd });
      expect([refused.exit, refused.document.error?.code]).toEqual([2, "key_invalid"]);
      expectNoSecret(`${refused.stdout}${refused.stderr}`, seed);
      const shown = await waybillJson(["key", "show", "bare", "--seed"], { cwd });
      expect(shown.document).toMatchObject({
        kind: "private",
        hex: Buffer.from(publicKeyOf(seed)).toString("hex"),
      });
      expectNoSecret(`${shown.stdout}${shown.stderr}`, seed);
      chmodSync(join(cwd, "bare"), 0o644);
      expect((await waybillJson(["key", "show", "bare", "--seed"], { cwd })).document.error?.code).toBe(
        "key_permissions",
      );
    });
  });

  test("a weak or foreign key is a wrong configuration", async () => {
    await inFolder(async (cwd) => {
      writeFileSync(join(cwd, "zero.pub"), "00".repeat(32));
      chmodSync(join(cwd, "zero.pub"), 0o644);
      const ran = await waybillJson(["key", "show", "zero.pub"], { cwd });
      expect([ran.exit, ran.document.error?.code]).toEqual([2, "key_weak"]);
      expect((await waybillJson(["key", "show", "none"], { cwd })).document.error?.code).toBe(
        "file_unreadable",
      );
      expect((await waybillJson(["key", "show"], { cwd })).document.error?.code).toBe("missing_argument");
      expect(existsSync(join(cwd, "none"))).toBe(false);
    });
  });
});

function inspectKeyFileOf(cwd: string, text: string, mode: number): void {
  writeFileSync(join(cwd, "bare"), text);
  chmodSync(join(cwd, "bare"), mode);
  inspectKeyFile(join(cwd, "bare"));
}

function expectNoSecret(text: string, seed: Uint8Array): void {
  const bytes = Buffer.from(seed);
  for (const spelling of [
    bytes.toString("hex"),
    bytes.toString("base64").slice(0, 42),
    bytes.toString("base64url").slice(0, 42),
  ])
    expect(text).not.toContain(spelling);
  expect(text).not.toContain("PRIVATE");
}
