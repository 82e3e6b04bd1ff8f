import { describe, expect, test } from "bun:test";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { PROGRAM, runWaybill } from "../support/binary.ts";
import { loadSigningKey } from "./keys-in-files.ts";
import { inFolder, waybill, waybillJson } from "./run-waybill.ts";
import { HAS, tool } from "./tools.ts";

const PRIVATE_FORMS = ["pkcs8", "ssh", "minisign", "jwk", "raw"] as const;
const PUBLIC_FORMS = ["spki", "ssh", "minisign", "jwk", "raw"] as const;

describe("key convert", () => {
  test("every private form is read back as the same key", async () => {
    await inFolder(async (cwd) => {
      const { publicKey } = createKeyFile(join(cwd, "k.pkcs8"));
      const seed = Buffer.from(loadSigningKey(join(cwd, "k.pkcs8")).seed());
      const convert = async (from: string, to: string, out: string): Promise<string> => {
        const flags = ["--private", "--out", out, ...(from === "k.raw" ? ["--seed"] : [])];
        const ran = await waybillJson(["key", "convert", from, "--to", to, ...flags], { cwd });
        expect([ran.exit, ran.stderr, ran.document["keyid"]]).toEqual([0, "", publicKey.keyid]);
        expect(statSync(join(cwd, out)).mode & 0o777).toBe(0o600);
        for (const spelling of ["hex", "base64", "base64url"] as const)
          expect(ran.stdout).not.toContain(seed.toString(spelling).slice(0, 40));
        return readFileSync(join(cwd, out), "utf8");
      };
      for (const form of PRIVATE_FORMS.slice(1)) await convert("k.pkcs8", form, `k.${form}`);
      for (const form of PRIVATE_FORMS)
        expect(await convert(`k.${form}`, "pkcs8", `back-${form}`)).toBe(
          readFileSync(join(cwd, "k.pkcs8"), "utf8"),
        );
    });
  }, 30_000);

  test("every public form is read back as the same key", async () => {
    await inFolder(async (cwd) => {
      const { publicKey } = createKeyFile(join(cwd, "k"));
      for (const form of PUBLIC_FORMS) {
        for (const source of ["k", "k.pub"]) {
          const ran = await waybill(["key", "convert", source, "--to", form], { cwd });
          expect([ran.exit, ran.stderr]).toEqual([0, ""]);
          writeFileSync(join(cwd, form), ran.stdout, { mode: 0o644 });
          const shown = await waybillJson(["key", "show", form], { cwd });
          expect(shown.document).toMatchObject({ kind: "public", ...formsOf(publicKey) });
        }
      }
    });
  }, 30_000);

  test("key show gives the fingerprints of the tools", async () => {
    await inFolder(async (cwd) => {
      createKeyFile(join(cwd, "k"));
      const shown = (await waybillJson(["key", "show", "k.pub"], { cwd })).document;
      const fingerprints = shown["fingerprints"] as Record<string, string>;
      writeFileSync(join(cwd, "ssh"), `${String(shown["ssh"])}\n`);
      writeFileSync(join(cwd, "signify"), String(shown["signify"]));
      if (HAS.sshKeygen)
        expect((await tool(["ssh-keygen", "-lf", "ssh"], cwd)).stdout).toContain(` ${fingerprints["ssh"]} `);
      expect(String(shown["signify"])).toStartWith(
        `untrusted comment: minisign public key ${fingerprints["minisign"]}\n${String(shown["minisign"])}\n`,
      );
      expect(Buffer.from(fingerprints["spki_sha256"] ?? "", "hex").toString("base64")).toBe(
        String(shown["keyid"]),
      );
      const jwk = createPublicKey({ key: shown["jwk"] as never, format: "jwk" });
      expect(jwk.export({ type: "spki", format: "pem" })).toBe(String(shown["spki_pem"]));
    });
  });

  test.skipIf(!HAS.sshKeygen)(
    "ssh-keygen reads both halves, and we read what it makes",
    async () => {
      await inFolder(async (cwd) => {
        const { publicKey } = createKeyFile(join(cwd, "k"));
        await waybill(["key", "convert", "k", "--to", "ssh", "--private", "--out", "k.ssh"], { cwd });
        const read = await tool(["ssh-keygen", "-y", "-P", "", "-f", "k.ssh"], cwd);
        expect([read.code, read.stdout]).toEqual([0, `${formsOf(publicKey).ssh} waybill\n`]);
        expect((await waybill(["key", "convert", "k", "--to", "ssh"], { cwd })).stdout).toBe(read.stdout);

        await tool(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me@here", "-f", "theirs"], cwd);
        const shown = await waybillJson(["key", "show", "theirs"], { cwd });
        expect(shown.document["kind"]).toBe("private");
        expect(readFileSync(join(cwd, "theirs.pub"), "utf8")).toBe(
          `${String(shown.document["ssh"])} me@here\n`,
        );

        await tool(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret1", "-f", "locked"], cwd);
        const refused = await waybillJson(["key", "show", "locked"], { cwd });
        expect([refused.exit, refused.document.error?.code]).toEqual([2, "key_invalid"]);
        expect(refused.document.error?.message).toContain('encrypted with "aes256-ctr"');
        expect(refused.stdout).toContain("ssh-keygen -p -N");
        await tool(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", "rsa"], cwd);
        const rsa = await waybillJson(["key", "show", "rsa"], { cwd });
        expect(rsa.document.error?.message).toContain('unsupported key type "ssh-rsa"');
      });
    },
    30_000,
  );

  test.skipIf(!HAS.minisign)("minisign reads both halves, and we read what it makes", async () => {
    await inFolder(async (cwd) => {
      createKeyFile(join(cwd, "k"));
      writeFileSync(join(cwd, "app"), "bytes");
      await waybill(["key", "convert", "k", "--to", "minisign", "--private", "--out", "k.sec"], { cwd });
      const pub = (await waybill(["key", "convert", "k", "--to", "minisign"], { cwd })).stdout;
      writeFileSync(join(cwd, "k.mpub"), pub);
      const made = await tool(["minisign", "-S", "-s", "k.sec", "-m", "app", "-x", "app.minisig"], cwd);
      expect([made.code, made.stderr]).toEqual([0, ""]);
      const verified = await tool(["minisign", "-V", "-m", "app", "-x", "app.minisig", "-p", "k.mpub"], cwd);
      expect(verified.code).toBe(0);

      await tool(["minisign", "-G", "-W", "-p", "theirs.pub", "-s", "theirs.sec"], cwd);
      chmodSync(join(cwd, "theirs.sec"), 0o600);
      const shown = await waybillJson(["key", "show", "theirs.sec"], { cwd });
      expect(shown.document["kind"]).toBe("private");
      // Its own key number is kept, so both tools sign under the same one.
      expect(readFileSync(join(cwd, "theirs.pub"), "utf8").split("\n")[1]).toBe(
        String(shown.document["minisign"]),
      );
    });
  });

  test("openssl and node read what is written", async () => {
    await inFolder(async (cwd) => {
      const { publicKey } = createKeyFile(join(cwd, "k"));
      writeFileSync(join(cwd, "pw"), "correct horse\n");
      const convert = ["key", "convert", "k", "--private", "--to"];
      await waybill([...convert, "jwk", "--out", "k.jwk"], { cwd });
      const key = createPrivateKey({
        key: JSON.parse(readFileSync(join(cwd, "k.jwk"), "utf8")) as never,
        format: "jwk",
      });
      expect(createPublicKey(key).export({ type: "spki", format: "pem" })).toBe(formsOf(publicKey).spki_pem);
      await waybill([...convert, "pkcs8", "--out", "k.enc", "--new-passphrase-file", "pw"], { cwd });
      expect(readFileSync(join(cwd, "k.enc"), "utf8")).toStartWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
      if (!HAS.openssl) return;
      const read = await tool(["openssl", "pkey", "-in", "k.enc", "-passin", "file:pw", "-pubout"], cwd);
      expect(read.stdout).toBe(formsOf(publicKey).spki_pem);
    });
  });

  const refusals: readonly (readonly [string, readonly string[], string])[] = [
    ["a public PKCS#8", ["k", "--to", "pkcs8"], "flags_contradict"],
    ["a private SPKI", ["k", "--to", "spki", "--private", "--out", "o"], "flags_contradict"],
    ["a private half of a public key", ["k.pub", "--to", "ssh", "--private", "--out", "o"], "key_invalid"],
    ["a file that exists", ["k", "--to", "ssh", "--private", "--out", "k.pub"], "file_exists"],
    ["a public file that exists", ["k", "--to", "ssh", "--out", "k"], "file_exists"],
    [
      "an encrypted JWK",
      ["k", "--to", "jwk", "--private", "--out", "o", "--new-passphrase-file", "pw"],
      "flags_contradict",
    ],
    [
      "a passphrase for a public key",
      ["k", "--to", "ssh", "--new-passphrase-file", "pw"],
      "flags_contradict",
    ],
    ["another form", ["k", "--to", "pgp"], "invalid_value"],
  ];
  test.each(refusals)("refuses %s", async (_name, args, code) => {
    await inFolder(async (cwd) => {
      createKeyFile(join(cwd, "k"));
      writeFileSync(join(cwd, "pw"), "correct horse\n");
      const ran = await waybillJson(["key", "convert", ...args], { cwd });
      expect([ran.exit, ran.document.error?.code as string]).toEqual([2, code]);
      expect(existsSync(join(cwd, "o"))).toBe(false);
    });
  });

  test("a private key goes into a pipe or a 0600 file, and nowhere else", async () => {
    await inFolder(async (cwd) => {
      createKeyFile(join(cwd, "k"));
      const command = `${PROGRAM.map((word) => `'${word}'`).join(" ")} key convert k --to jwk --private`;
      const piped = await tool(["sh", "-c", `${command} | cat`], cwd);
      expect(JSON.parse(piped.stdout)).toMatchObject({ kty: "OKP" });
      const table: readonly (readonly [string, string, number])[] = [
        ["umask 022", "out", 2],
        ["umask 077", "kept", 0],
        ["true", "/dev/null", 2],
      ];
      for (const [before, file, exit] of table) {
        const ran = await tool(["sh", "-c", `${before}; ${command} > ${file}`], cwd);
        expect([file, ran.code]).toEqual([file, exit]);
      }
      expect(readFileSync(join(cwd, "out"), "utf8")).toBe("");
      expect(readFileSync(join(cwd, "kept"), "utf8")).toBe(piped.stdout);
    });
  });

  test("a key on standard input", async () => {
    await inFolder(async (cwd) => {
      const { publicKey } = createKeyFile(join(cwd, "k"));
      const stdin = readFileSync(join(cwd, "k"));
      const ran = await runWaybill(["key", "convert", "-", "--to", "raw"], { cwd, stdin });
      expect([ran.code, ran.stdout]).toEqual([0, `${formsOf(publicKey).base64}\n`]);
    });
  });

  test("bytes without any encoding", async () => {
    await inFolder(async (cwd) => {
      const { publicKey } = createKeyFile(join(cwd, "k"));
      const seed = loadSigningKey(join(cwd, "k")).seed();
      writeFileSync(join(cwd, "bare.pub"), publicKey.bytes);
      writeFileSync(join(cwd, "bare"), Buffer.concat([seed, publicKey.bytes]), { mode: 0o600 });
      for (const [file, kind] of [
        ["bare.pub", "public"],
        ["bare", "private"],
      ] as const) {
        const { document } = await waybillJson(["key", "show", file], { cwd });
        expect(document).toMatchObject({ kind, keyid: publicKey.keyid });
      }
    });
  });
});
