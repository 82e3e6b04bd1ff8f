import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDetachedSignature, formatOf } from "../../src/trust/detached-signature.ts";
import { inFolder, waybillJson } from "./run-waybill.ts";
import { VECTORS } from "./tools.ts";

const at = (name: string): string => join(VECTORS ?? "", name);

/** Signatures that minisign, signify and OpenSSH made themselves. */
describe.skipIf(VECTORS === null)("signatures by other tools' own test suites", () => {
  const legacy = ["--allow-legacy"];
  const [message, minisign] = ["minisign/message.txt", "minisign/minisign.pub"] as const;
  const minisig = `${message}.minisig`;
  const theirs = "minisign/robtest.ps1.minisig";
  const [orders, forgery, signify] = [
    "signify/orders.txt",
    "signify/forgery.txt",
    "signify/regresskey.pub",
  ] as const;
  const [data, sig, pub] = ["sshsig/signed-data", "sshsig/ed25519.sig", "sshsig/ed25519.pub"] as const;
  const named = (format: string): string[] => ["--signature-format", format];
  const ssh = [...named("ssh"), "--namespace", "unittest"];
  type Row = readonly [string, string, string, string, readonly string[], number, string | null];
  const table: readonly Row[] = [
    ["minisign, legacy, allowed", message, minisig, minisign, legacy, 0, null],
    ["minisign, legacy", message, minisig, minisign, [], 6, "signature_legacy"],
    ["minisign, by another key", message, theirs, minisign, legacy, 6, "signer_unknown"],
    ["minisign, another file", orders, minisig, minisign, legacy, 6, "signature_invalid"],
    ["signify", orders, `${orders}.sig`, signify, [], 0, null],
    ["signify, named", orders, `${orders}.sig`, signify, named("signify"), 0, null],
    ["signify, forged", forgery, `${forgery}.sig`, signify, [], 6, "signature_invalid"],
    ["signify as minisign", orders, `${orders}.sig`, signify, named("minisign"), 6, "signature_malformed"],
    ["SSHSIG", data, sig, pub, ssh, 0, null],
    ["SSHSIG, found out", data, sig, pub, ["--namespace", "unittest"], 0, null],
    ["SSHSIG, another namespace", data, sig, pub, ["--namespace", "file"], 6, "namespace_mismatch"],
    ["SSHSIG, another file", "sshsig/namespace", sig, pub, ssh, 6, "signature_invalid"],
    ...["rsa", "ecdsa", "ed25519_sk", "mldsa44-ed25519"].flatMap((kind): Row[] => [
      [`SSHSIG by ${kind}`, data, `sshsig/${kind}.sig`, pub, ssh, 6, "signature_unsupported"],
      [`a key of ${kind}`, data, `sshsig/${kind}.sig`, `sshsig/${kind}.pub`, ssh, 2, "key_invalid"],
    ]),
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

  test("an SSHSIG by another kind of key is evidence as text, too", async () => {
    await inFolder(async (cwd) => {
      const signature = readFileSync(at("sshsig/rsa.sig"), "utf8");
      const args = [at(data), `--signature=${signature}`, "--key", at(pub), "--namespace", "unittest"];
      const { exit, document } = await waybillJson(["verify", "artifact", ...args], { cwd });
      expect<unknown[]>([exit, document.error?.code]).toEqual([6, "signature_unsupported"]);
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
