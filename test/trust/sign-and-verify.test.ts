import { describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { linkSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { inFolder, waybill, waybillJson } from "./run-waybill.ts";
import { HAS, tool } from "./tools.ts";

const SIZE = 5_000;

/** A folder with `release.key`, `release.key.pub` and `app`. */
async function withKey(work: (cwd: string, bytes: Uint8Array) => Promise<void>): Promise<void> {
  await inFolder(async (cwd) => {
    createKeyFile(join(cwd, "release.key"));
    const bytes = randomBytes(SIZE);
    writeFileSync(join(cwd, "app"), bytes);
    await work(cwd, bytes);
  });
}

/** Signed, with another key beside it. */
async function withSignature(work: (cwd: string, bytes: Uint8Array) => Promise<void>): Promise<void> {
  await withKey(async (cwd, bytes) => {
    createKeyFile(join(cwd, "other.key"));
    const ran = await waybill(["sign", "app", "--key", "release.key", "--format", "raw"], { cwd });
    expect(ran.exit).toBe(0);
    await work(cwd, bytes);
  });
}

describe("sign", () => {
  const encodings: readonly (readonly [readonly string[], RegExp | number])[] = [
    [[], /^[A-Za-z0-9+/]{86}==\n$/u],
    [["--encoding", "base64"], /^[A-Za-z0-9+/]{86}==\n$/u],
    [["--encoding", "hex"], /^[0-9a-f]{128}\n$/u],
    [["--encoding", "binary"], 64],
  ];
  test.each(encodings)("writes FILE.sig with %p", async (flags, wanted) => {
    await withKey(async (cwd, bytes) => {
      const ran = await waybillJson(["sign", "app", "--key", "release.key", "--format", "raw", ...flags], {
        cwd,
      });
      expect([ran.exit, ran.stderr]).toEqual([0, ""]);
      const written = readFileSync(join(cwd, "app.sig"));
      if (typeof wanted === "number") expect(written).toHaveLength(wanted);
      else expect(written.toString("latin1")).toMatch(wanted);
      expect(ran.document).toMatchObject({
        schema: "waybill.sign/v1",
        file: "app",
        bytes: SIZE,
        sha256: createHash("sha256").update(bytes).digest("hex"),
        format: "raw",
        out: "app.sig",
      });
      expect(statSync(join(cwd, "app.sig")).mode & 0o777).toBe(0o644);
    });
  });

  test.skipIf(!HAS.openssl)("makes what openssl verifies", async () => {
    await withKey(async (cwd) => {
      const flags = ["--key", "release.key", "--format", "raw", "--encoding", "binary"];
      expect((await waybill(["sign", "app", ...flags], { cwd })).stdout).toBe("app.sig\n");
      const words = "pkeyutl -verify -pubin -inkey release.key.pub -rawin -sigfile app.sig -in app";
      const check = ["openssl", ...words.split(" ")];
      expect((await tool(check, cwd)).code).toBe(0);
      writeFileSync(join(cwd, "app"), "changed");
      expect((await tool(check, cwd)).code).toBe(1);
    });
  });

  test("an encrypted key with its passphrase", async () => {
    await inFolder(async (cwd) => {
      writeFileSync(join(cwd, "pw"), "correct horse\n");
      writeFileSync(join(cwd, "app"), "");
      createKeyFile(join(cwd, "k"), new TextEncoder().encode("correct horse"));
      const flags = ["--key", "k", "--format", "raw"];
      expect((await waybillJson(["sign", "app", ...flags], { cwd })).document.error?.code).toBe(
        "key_invalid",
      );
      expect((await waybill(["sign", "app", ...flags, "--passphrase-file", "pw"], { cwd })).exit).toBe(0);
    });
  });

  const raw = ["--key", "release.key", "--format", "raw"];
  const refusals: readonly (readonly [string, readonly string[], number, string])[] = [
    ["no key", ["app", "--format", "raw"], 2, "flag_missing"],
    ["two keys", ["app", ...raw, "--key-env", "K"], 2, "flags_contradict"],
    ["no format", ["app", "--key", "release.key"], 2, "flag_missing"],
    ["another format", ["app", "--key", "release.key", "--format", "pgp"], 2, "invalid_value"],
    ["a public key", ["app", "--key", "release.key.pub", "--format", "raw"], 2, "key_invalid"],
    ["a missing key", ["app", "--key", "none", "--format", "raw"], 2, "file_unreadable"],
    ["an unset variable", ["app", "--key-env", "NONE", "--format", "raw"], 4, "credential_missing"],
    ["a missing file", ["none", ...raw], 7, "path_not_found"],
    ["a folder", [".", ...raw, "--out", "s"], 2, "file_unreadable"],
    ["what is no file", ["/dev/null", ...raw, "--out", "s"], 2, "file_unreadable"],
    ["the file itself", ["app", ...raw, "--out", "./app"], 2, "flags_contradict"],
    ["a hard link to it", ["app", ...raw, "--out", "twin"], 2, "flags_contradict"],
    ["a link to it", ["app", ...raw, "--out", "link"], 2, "flags_contradict"],
    ["the key", ["app", ...raw, "--out", "release.key"], 2, "flags_contradict"],
    ["a folder to write to that is none", ["app", ...raw, "--out", "no/s"], 1, "output_not_written"],
  ];
  test.each(refusals)("refuses %s", async (_name, args, exit, code) => {
    await withKey(async (cwd, bytes) => {
      linkSync(join(cwd, "app"), join(cwd, "twin"));
      symlinkSync("app", join(cwd, "link"));
      const before = readdirSync(cwd).sort();
      const key = readFileSync(join(cwd, "release.key"), "utf8");
      const ran = await waybillJson(["sign", ...args], { cwd });
      expect([ran.exit, ran.document.error?.code]).toEqual([exit, code]);
      expect(readdirSync(cwd).sort()).toEqual(before);
      expect(readFileSync(join(cwd, "app")).equals(Buffer.from(bytes))).toBe(true);
      expect(readFileSync(join(cwd, "release.key"), "utf8")).toBe(key);
    });
  });

  test("replaces an older signature", async () => {
    await withKey(async (cwd) => {
      writeFileSync(join(cwd, "app.sig"), "older");
      expect((await waybill(["sign", "app", "--key", "release.key", "--format", "raw"], { cwd })).exit).toBe(
        0,
      );
      expect(readFileSync(join(cwd, "app.sig"), "latin1")).toHaveLength(89);
      expect(readdirSync(cwd).sort()).toEqual(["app", "app.sig", "release.key", "release.key.pub"]);
    });
  });
});

describe("verify artifact", () => {
  test("a name with a line break begins no line of the result", async () => {
    await withKey(async (cwd, bytes) => {
      const name = "app\n::error::it is not";
      writeFileSync(join(cwd, name), bytes);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const signed = ["--signature", "it.sig", "--key", "release.key.pub"];
      await waybill(["sign", name, "--key", "release.key", "--format", "raw", "--out", "it.sig"], { cwd });
      for (const how of [["--sha256", sha256], signed]) {
        const { exit, stdout } = await waybill(["verify", "artifact", name, ...how], { cwd });
        expect([exit, stdout.split("\n").length]).toEqual([0, 2]);
        expect(stdout).toStartWith("app : :error::it is not: ");
      }
    });
  });

  test("a signature in a file, in binary and as text, under a key in a file and as text", async () => {
    await withSignature(async (cwd) => {
      const text = readFileSync(join(cwd, "app.sig"), "utf8").trim();
      writeFileSync(join(cwd, "binary"), Buffer.from(text, "base64"));
      const { publicKey } = createKeyFile(join(cwd, "unused.key"));
      const pub = readFileSync(join(cwd, "release.key.pub"), "utf8");
      const shown = (await waybillJson(["key", "show", "release.key.pub"], { cwd })).document;
      for (const signature of ["app.sig", "binary", text, Buffer.from(text, "base64").toString("hex")]) {
        for (const key of [
          "release.key.pub",
          pub,
          String(shown["hex"]),
          String(shown["ssh"]),
          String(shown["minisign"]),
        ]) {
          const ran = await waybillJson(
            [
              "verify",
              "artifact",
              "app",
              `--signature=${signature}`,
              "--key",
              formsOf(publicKey).hex,
              `--key=${key}`,
            ],
            { cwd },
          );
          expect(ran.exit).toBe(0);
          expect(ran.document).toMatchObject({
            schema: "waybill.verify-artifact/v1",
            ok: true,
            checked: 1,
            accepted: [{ kind: "signature", format: "raw", keyid: shown["keyid"] }],
            refusals: [],
          });
        }
      }
    });
  }, 120_000);

  test("a signature that is too large is evidence, and none that anybody reads", async () => {
    await withSignature(async (cwd) => {
      writeFileSync(join(cwd, "huge.sig"), new Uint8Array(16_385));
      const verify = ["verify", "artifact", "app", "--signature", "huge.sig", "--key", "release.key.pub"];
      const ran = await waybillJson(verify, { cwd });
      expect([ran.exit, ran.document.error?.code as string]).toEqual([10, "evidence_too_large"]);
      expect(ran.document).toMatchObject({ checked: 1, accepted: [] });
    });
  });

  test("digest and signature together, and an empty artifact", async () => {
    await withSignature(async (cwd) => {
      writeFileSync(join(cwd, "app"), "");
      await waybill(["sign", "app", "--key", "release.key", "--format", "raw"], { cwd });
      const sha256 = createHash("sha256").update("").digest("hex");
      const flags = ["--signature", "app.sig", "--signature-format", "raw", "--key", "release.key.pub"];
      for (const digest of [sha256, sha256.toUpperCase(), `sha256:${sha256}`]) {
        const ran = await waybillJson(["verify", "artifact", "app", "--sha256", digest, ...flags], { cwd });
        expect(ran.document).toMatchObject({ ok: true, exit_code: 0, checked: 2, bytes: 0, sha256 });
      }
    });
  });

  const release = ["--key", "release.key.pub"];
  const zeros = "0".repeat(64);
  const refusals: readonly (readonly [string, readonly string[], number, string])[] = [
    ["nothing to check", ["app"], 2, "nothing_named"],
    ["a signature without a key", ["app", "--signature", "app.sig"], 2, "flag_missing"],
    ["a key without a signature", ["app", "--sha256", zeros, ...release], 2, "flags_contradict"],
    [
      "a format without a signature",
      ["app", "--sha256", zeros, "--signature-format", "raw"],
      2,
      "flags_contradict",
    ],
    ["a digest that is none", ["app", "--sha256", "abc"], 2, "invalid_value"],
    ["a missing file", ["none", "--sha256", zeros], 7, "path_not_found"],
    ["a folder", [".", "--sha256", zeros], 2, "file_unreadable"],
    ["what is no file", ["/dev/null", "--sha256", zeros], 2, "file_unreadable"],
    ["a wrong digest", ["app", "--sha256", zeros], 6, "hash_mismatch"],
    ["another key", ["app", "--signature", "app.sig", "--key", "other.key.pub"], 6, "signature_invalid"],
    [
      "a file that was changed",
      ["release.key.pub", "--signature", "app.sig", ...release],
      6,
      "signature_invalid",
    ],
    ["a malformed signature file", ["app", "--signature", "app", ...release], 6, "signature_malformed"],
    ["a signature file that is none", ["app", "--signature", "nine.sig", ...release], 2, "invalid_value"],
    ["63 bytes as text", ["app", "--signature", "ab".repeat(63), ...release], 2, "invalid_value"],
    ["a key of zeros", ["app", "--signature", "app.sig", "--key", "00".repeat(32)], 2, "key_weak"],
    [
      "a good key and a weak one",
      ["app", "--signature", "app.sig", ...release, "--key", `01${"00".repeat(31)}`],
      2,
      "key_weak",
    ],
    ["a private key", ["app", "--signature", "app.sig", "--key", "release.key"], 2, "key_invalid"],
    ["a key file that is none", ["app", "--signature", "app.sig", "--key", "nine.pub"], 2, "invalid_value"],
  ];
  test.each(refusals)("refuses %s", async (_name, args, exit, code) => {
    await withSignature(async (cwd) => {
      const ran = await waybillJson(["verify", "artifact", ...args], { cwd });
      expect([ran.exit, ran.document.error?.code, ran.document.ok]).toEqual([exit, code, false]);
      const refusals = ran.document["refusals"] as readonly { code: string; message: string }[];
      expect(ran.document["accepted"]).toEqual([]);
      if (exit === 6) {
        expect(ran.document["checked"]).toBe(1);
        expect(refusals.map((refusal) => refusal.code)).toEqual([code]);
      } else expect([ran.document["checked"], refusals]).toEqual([0, []]);
    });
  });

  test.skipIf(!HAS.openssl)("what openssl signed", async () => {
    await withKey(async (cwd) => {
      await tool(["openssl", "genpkey", "-algorithm", "ed25519", "-out", "o.key"], cwd);
      await tool(["openssl", "pkey", "-in", "o.key", "-pubout", "-out", "o.pub"], cwd);
      await tool(
        ["openssl", "pkeyutl", "-sign", "-inkey", "o.key", "-rawin", "-in", "app", "-out", "o.sig"],
        cwd,
      );
      const ran = await waybill(["verify", "artifact", "app", "--signature", "o.sig", "--key", "o.pub"], {
        cwd,
      });
      expect([ran.exit, ran.stderr]).toEqual([0, ""]);
      expect(ran.stdout).toMatch(/^app: raw signature by key /u);
    });
  });
});
