import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDetachedSignature, formatOf } from "../../src/trust/detached-signature.ts";
import { inFolder, waybillJson } from "./run-waybill.ts";
import { VECTORS } from "./tools.ts";

const at = (name: string): string => join(VECTORS ?? "", name);

/** Signatures that minisign, signify and OpenSSH made themselves. */
describe.skipIf(VECTORS === null)("signatures by other tools' own test suites", () => {
  const ssh = ["--signature-format", "ssh", "--namespace", "unittest"];
  const table: readonly (readonly [
    string,
    string,
    string,
    string,
    readonly string[],
    number,
    string | null,
  ])[] = [
    [
      "minisign, legacy, allowed",
      "minisign/message.txt",
      "minisign/message.txt.minisig",
      "minisign/minisign.pub",
      ["--allow-legacy"],
      0,
      null,
    ],
    [
      "minisign, legacy",
      "minisign/message.txt",
      "minisign/message.txt.minisig",
      "minisign/minisign.pub",
      [],
      6,
      "signature_legacy",
    ],
    [
      "minisign, by another key",
      "minisign/message.txt",
      "minisign/robtest.ps1.minisig",
      "minisign/minisign.pub",
      ["--allow-legacy"],
      6,
      "signer_unknown",
    ],
    [
      "minisign, another file",
      "signify/orders.txt",
      "minisign/message.txt.minisig",
      "minisign/minisign.pub",
      ["--allow-legacy"],
      6,
      "signature_invalid",
    ],
    ["signify", "signify/orders.txt", "signify/orders.txt.sig", "signify/regresskey.pub", [], 0, null],
    [
      "signify, named",
      "signify/orders.txt",
      "signify/orders.txt.sig",
      "signify/regresskey.pub",
      ["--signature-format", "signify"],
      0,
      null,
    ],
    [
      "signify, forged",
      "signify/forgery.txt",
      "signify/forgery.txt.sig",
      "signify/regresskey.pub",
      [],
      6,
      "signature_invalid",
    ],
    [
      "signify taken for minisign",
      "signify/orders.txt",
      "signify/orders.txt.sig",
      "signify/regresskey.pub",
      ["--signature-format", "minisign"],
      6,
      "signature_malformed",
    ],
    ["SSHSIG", "sshsig/signed-data", "sshsig/ed25519.sig", "sshsig/ed25519.pub", ssh, 0, null],
    [
      "SSHSIG, found out",
      "sshsig/signed-data",
      "sshsig/ed25519.sig",
      "sshsig/ed25519.pub",
      ["--namespace", "unittest"],
      0,
      null,
    ],
    [
      "SSHSIG, another namespace",
      "sshsig/signed-data",
      "sshsig/ed25519.sig",
      "sshsig/ed25519.pub",
      ["--namespace", "file"],
      6,
      "namespace_mismatch",
    ],
    [
      "SSHSIG, another file",
      "sshsig/namespace",
      "sshsig/ed25519.sig",
      "sshsig/ed25519.pub",
      ssh,
      6,
      "signature_invalid",
    ],
    [
      "SSHSIG by an RSA key",
      "sshsig/signed-data",
      "sshsig/rsa.sig",
      "sshsig/ed25519.pub",
      ssh,
      6,
      "signature_unsupported",
    ],
    [
      "SSHSIG by an ECDSA key",
      "sshsig/signed-data",
      "sshsig/ecdsa.sig",
      "sshsig/ed25519.pub",
      ssh,
      6,
      "signature_unsupported",
    ],
    [
      "SSHSIG by a security key",
      "sshsig/signed-data",
      "sshsig/ed25519_sk.sig",
      "sshsig/ed25519.pub",
      ssh,
      6,
      "signature_unsupported",
    ],
    [
      "SSHSIG by ML-DSA",
      "sshsig/signed-data",
      "sshsig/mldsa44-ed25519.sig",
      "sshsig/ed25519.pub",
      ssh,
      6,
      "signature_unsupported",
    ],
    ["an RSA key", "sshsig/signed-data", "sshsig/rsa.sig", "sshsig/rsa.pub", ssh, 2, "key_invalid"],
    ["an ECDSA key", "sshsig/signed-data", "sshsig/ecdsa.sig", "sshsig/ecdsa.pub", ssh, 2, "key_invalid"],
    [
      "a security key",
      "sshsig/signed-data",
      "sshsig/ed25519_sk.sig",
      "sshsig/ed25519_sk.pub",
      ssh,
      2,
      "key_invalid",
    ],
    [
      "an ML-DSA key",
      "sshsig/signed-data",
      "sshsig/mldsa44-ed25519.sig",
      "sshsig/mldsa44-ed25519.pub",
      ssh,
      2,
      "key_invalid",
    ],
  ];
  test.each(table)("%s", async (_name, file, signature, key, flags, exit, code) => {
    await inFolder(async (cwd) => {
      const args = [at(file), "--signature", at(signature), "--key", at(key), ...flags];
      const ran = await waybillJson(["verify", "artifact", ...args], { cwd });
      const found: string | undefined = ran.document.error?.code;
      expect([ran.exit, found ?? null]).toEqual([exit, code]);
      expect(ran.document["checked"]).toBe(exit === 2 ? 0 : 1);
      expect(ran.document["accepted"]).toHaveLength(exit === 0 ? 1 : 0);
      const said = ran.document.error?.message ?? "";
      if (/key_invalid|unsupported/u.test(code ?? "")) expect(said).toContain("unsupported key type");
    });
  });

  test("minisign's trusted comment is shown when it was signed", async () => {
    await inFolder(async (cwd) => {
      const args = [at("minisign/message.txt"), "--signature", at("minisign/message.txt.minisig")];
      const key = ["--key", at("minisign/minisign.pub"), "--allow-legacy"];
      const ran = await waybillJson(["verify", "artifact", ...args, ...key], { cwd });
      expect(ran.document["accepted"]).toMatchObject([
        { kind: "signature", format: "minisign", trusted_comment: "timestamp:1614549543 file:message.txt" },
      ]);
    });
  });

  test("a file with CRLF is read", () => {
    const bytes = readFileSync(at("minisign/robtest.ps1.minisig"));
    expect(formatOf(bytes)).toBe("minisign");
    const read = parseDetachedSignature(bytes, "minisign", "it");
    if (read.format !== "minisign") throw new Error("another format");
    expect(read.algorithm).toBe("Ed");
    expect(Buffer.from(read.trustedComment).toString()).toBe("timestamp:1617721023\tfile:robtest.ps1");
  });
});
