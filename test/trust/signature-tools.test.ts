import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { privateForm, publicForm } from "../../src/trust/key-conversion.ts";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { SigningKey } from "../../src/trust/signing-key.ts";
import { inFolder, waybill, waybillJson, waybillMemory } from "./run-waybill.ts";
import { HAS, tool } from "./tools.ts";

const SIZES = [0, 1, 64, 5_000];

/** A folder with `k`, `k.pub` and `app` of this size; the forms of the key. */
async function withKey(
  size: number,
  work: (cwd: string, forms: ReturnType<typeof formsOf>) => Promise<void>,
): Promise<void> {
  await inFolder(async (cwd) => {
    const { publicKey } = createKeyFile(join(cwd, "k"));
    writeFileSync(join(cwd, "app"), randomBytes(size));
    await work(cwd, formsOf(publicKey));
  });
}

const verify = async (cwd: string, ...args: readonly string[]): ReturnType<typeof waybillJson> =>
  waybillJson(["verify", "artifact", "app", ...args], { cwd });

describe.skipIf(!HAS.minisign)("minisign", () => {
  test.each([
    [[1, 2, 3, 4, 5, 6, 7, 0x80]],
    [[1, 2, 3, 4, 5, 6, 0x0a, 0]],
    [[0, 0, 0, 0, 0, 0, 0, 0x0f]],
    [[7, 0, 0, 0, 0, 0, 0, 0]],
  ])("writes the public half of key number %p as we do", async (number) => {
    await inFolder(async (cwd) => {
      const key = new SigningKey(randomBytes(32), "the key", Uint8Array.from(number));
      writeFileSync(join(cwd, "m.sec"), privateForm(key, "minisign", randomBytes, undefined), {
        mode: 0o600,
      });
      await tool(["minisign", "-R", "-W", "-p", "m.pub", "-s", "m.sec"], cwd);
      expect(readFileSync(join(cwd, "m.pub"), "utf8")).toBe(publicForm(key.publicKey, "minisign"));
    });
  });

  test.each(SIZES)("takes what we sign, %d bytes", async (size) => {
    await withKey(size, async (cwd, forms) => {
      const signed = await waybillJson(["sign", "app", "--key", "k", "--format", "minisign"], { cwd });
      expect([signed.exit, signed.stderr, signed.document["out"]]).toEqual([0, "", "app.minisig"]);
      const read = await tool(["minisign", "-V", "-m", "app", "-P", forms.minisign], cwd);
      expect([read.code, read.stdout]).toEqual([0, expect.stringContaining("\tfile:app\thashed")]);
      expect((await verify(cwd, "--signature", "app.minisig", "--key", "k.pub")).exit).toBe(0);
      writeFileSync(join(cwd, "app"), "changed");
      expect((await tool(["minisign", "-V", "-m", "app", "-P", forms.minisign], cwd)).code).not.toBe(0);
      expect((await verify(cwd, "--signature", "app.minisig", "--key", "k.pub")).exit).toBe(6);
    });
  });

  test.each(SIZES)("signs what we take, %d bytes", async (size) => {
    await withKey(size, async (cwd) => {
      await tool(["minisign", "-G", "-W", "-p", "m.pub", "-s", "m.sec"], cwd);
      await tool(["minisign", "-S", "-s", "m.sec", "-m", "app", "-t", "a comment: höhe"], cwd);
      await tool(["minisign", "-S", "-l", "-s", "m.sec", "-m", "app", "-x", "legacy"], cwd);
      const ran = await verify(cwd, "--signature", "app.minisig", "--key", "m.pub");
      expect([ran.exit, ran.document["accepted"]]).toEqual([
        0,
        [expect.objectContaining({ format: "minisign", trusted_comment: "a comment: höhe" })],
      ]);
      const legacy = await verify(cwd, "--signature", "legacy", "--key", "m.pub");
      expect([legacy.exit, legacy.document.error?.code as string]).toEqual([6, "signature_legacy"]);
      expect((await verify(cwd, "--signature", "legacy", "--key", "m.pub", "--allow-legacy")).exit).toBe(0);
      expect((await verify(cwd, "--signature", "app.minisig", "--key", "k.pub")).exit).toBe(6);
      // The key in another form than minisign's own has no key number, and the maths decide.
      const pem = (await waybill(["key", "convert", "m.pub", "--to", "spki"], { cwd })).stdout;
      expect((await verify(cwd, "--signature", "app.minisig", `--key=${pem}`)).exit).toBe(0);
    });
  });

  test("signs with our key, and we with its", async () => {
    await withKey(10, async (cwd) => {
      await tool(["minisign", "-G", "-W", "-p", "m.pub", "-s", "m.sec"], cwd);
      chmodSync(join(cwd, "m.sec"), 0o600);
      expect((await waybill(["sign", "app", "--key", "m.sec", "--format", "minisign"], { cwd })).exit).toBe(
        0,
      );
      expect((await tool(["minisign", "-V", "-m", "app", "-p", "m.pub"], cwd)).code).toBe(0);
    });
  });

  test.skipIf(process.env["WAYBILL_FULL"] === undefined)(
    "encrypted keys in both directions",
    async () => {
      await withKey(10, async (cwd, forms) => {
        writeFileSync(join(cwd, "pw"), "correct horse\n");
        await tool(["minisign", "-G", "-p", "m.pub", "-s", "m.sec"], cwd, "correct horse\ncorrect horse\n");
        chmodSync(join(cwd, "m.sec"), 0o600);
        const shown = await waybillJson(["key", "show", "m.sec", "--passphrase-file", "pw"], { cwd });
        expect(readFileSync(join(cwd, "m.pub"), "utf8").split("\n")[1]).toBe(
          String(shown.document["minisign"]),
        );
        const convert = ["key", "convert", "k", "--to", "minisign", "--private", "--out", "k.sec"];
        await waybill([...convert, "--new-passphrase-file", "pw"], { cwd });
        const signed = await tool(["minisign", "-S", "-s", "k.sec", "-m", "app"], cwd, "correct horse\n");
        expect(signed.code).toBe(0);
        expect((await tool(["minisign", "-V", "-m", "app", "-P", forms.minisign], cwd)).code).toBe(0);
      });
    },
    120_000,
  );

  test("a name that would not stand on a line", async () => {
    await withKey(3, async (cwd, forms) => {
      const name = "a\n##[error]x\u001b[2J\u202e.bin";
      writeFileSync(join(cwd, name), "x");
      const args = ["sign", name, "--key", "k", "--format", "minisign", "--out", "s"];
      expect((await waybill(args, { cwd })).exit).toBe(0);
      expect(readFileSync(join(cwd, "s"), "utf8").split("\n")).toHaveLength(5);
      expect((await tool(["minisign", "-V", "-m", name, "-x", "s", "-P", forms.minisign], cwd)).code).toBe(0);
    });
  });
});

describe.skipIf(!HAS.signify)("signify", () => {
  test.each(SIZES)("signs what we take, %d bytes", async (size) => {
    await withKey(size, async (cwd) => {
      await tool(["signify-openbsd", "-G", "-n", "-p", "s.pub", "-s", "s.sec"], cwd);
      await tool(["signify-openbsd", "-S", "-s", "s.sec", "-m", "app", "-x", "app.sig"], cwd);
      const named = ["--signature-format", "signify"];
      const ran = await verify(cwd, "--signature", "app.sig", "--key", "s.pub", ...named);
      expect([ran.exit, ran.stderr]).toEqual([0, ""]);
      // 64 bytes are what a prehashed signature of minisign is over; see attacks/legacy-downgrade.
      const found = await verify(cwd, "--signature", "app.sig", "--key", "s.pub");
      expect(found.exit).toBe(size === 64 ? 6 : 0);
      writeFileSync(join(cwd, "app"), "changed");
      expect((await verify(cwd, "--signature", "app.sig", "--key", "s.pub", ...named)).exit).toBe(6);
    });
  });

  test("reads our public key, and takes the first lines of a legacy minisign file", async () => {
    await withKey(99, async (cwd, forms) => {
      writeFileSync(join(cwd, "s.pub"), forms.signify);
      // signify signs the file itself, as our raw format does.
      await waybill(["sign", "app", "--key", "k", "--format", "raw", "--encoding", "binary"], { cwd });
      const head = Buffer.from(forms.minisign, "base64").subarray(0, 10);
      const blob = Buffer.concat([head, readFileSync(join(cwd, "app.sig"))]);
      writeFileSync(join(cwd, "s.sig"), `untrusted comment: verify with s.pub\n${blob.toString("base64")}\n`);
      const read = await tool(["signify-openbsd", "-V", "-p", "s.pub", "-m", "app", "-x", "s.sig"], cwd);
      expect([read.code, read.stdout]).toEqual([0, "Signature Verified\n"]);
      expect((await verify(cwd, "--signature", "s.sig", "--key", "s.pub")).exit).toBe(0);
    });
  });
});

const check = async (cwd: string, namespace: string): Promise<number> => {
  const args = ["-Y", "verify", "-f", "allowed", "-I", "me@here", "-n", namespace, "-s", "app.sig"];
  return (await tool(["ssh-keygen", ...args], cwd, readFileSync(join(cwd, "app")))).code;
};

describe.skipIf(!HAS.sshKeygen)("ssh-keygen", () => {
  test.each(SIZES)("takes what we sign, %d bytes", async (size) => {
    await withKey(size, async (cwd, forms) => {
      writeFileSync(join(cwd, "allowed"), `me@here ${forms.ssh}\n`);
      for (const namespace of ["artifact@waybill", "file"]) {
        const flags = namespace === "file" ? ["--namespace", "file"] : [];
        const signed = await waybillJson(["sign", "app", "--key", "k", "--format", "ssh", ...flags], { cwd });
        expect([signed.exit, signed.document["namespace"]]).toEqual([0, namespace]);
        expect(await check(cwd, namespace)).toBe(0);
        expect(await check(cwd, "git")).not.toBe(0);
        expect((await verify(cwd, "--signature", "app.sig", "--key", "k.pub", ...flags)).exit).toBe(0);
      }
      writeFileSync(join(cwd, "app"), "changed");
      expect(await check(cwd, "file")).not.toBe(0);
    });
  });

  test("writes byte for byte what we write, and what we take", async () => {
    await withKey(777, async (cwd) => {
      await waybill(["key", "convert", "k", "--to", "ssh", "--private", "--out", "k.ssh"], { cwd });
      await waybill(
        ["sign", "app", "--key", "k", "--format", "ssh", "--namespace", "file", "--out", "ours"],
        { cwd },
      );
      await tool(["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", "k.ssh", "app"], cwd);
      expect(readFileSync(join(cwd, "ours"), "utf8")).toBe(readFileSync(join(cwd, "app.sig"), "utf8"));
      await tool(
        ["ssh-keygen", "-q", "-Y", "sign", "-O", "hashalg=sha256", "-n", "file", "-f", "k.ssh", "app"],
        cwd,
      );
      for (const signature of ["ours", "app.sig"]) {
        const ran = await verify(cwd, "--signature", signature, "--key", "k.pub", "--namespace", "file");
        expect([ran.exit, ran.document["accepted"]]).toEqual([
          0,
          [expect.objectContaining({ format: "ssh", namespace: "file" })],
        ]);
      }
    });
  });

  test("both take the same armor", async () => {
    await withKey(10, async (cwd, forms) => {
      writeFileSync(join(cwd, "allowed"), `me@here ${forms.ssh}\n`);
      await waybill(["sign", "app", "--key", "k", "--format", "ssh", "--namespace", "file"], { cwd });
      const good = readFileSync(join(cwd, "app.sig"), "latin1");
      const lines = good.trimEnd().split("\n");
      const body = lines.slice(1, -1).join("");
      const armored = (inner: string): string => `${lines[0]}\n${inner}\n${lines.at(-1)}\n`;
      const table: readonly (readonly [string, string, boolean])[] = [
        ["as it is", good, true],
        ["without its last line break", good.trimEnd(), true],
        ["text behind", `${good}more\n`, true],
        ["one long line", armored(body), true],
        ["lines of 76", armored(body.replaceAll(/(.{76})/gu, "$1\n")), true],
        ["white space inside", armored(body.replaceAll(/(.{9})/gu, "$1\r\n\t\v\f ")), true],
        ["a space of Unicode inside", armored(`\xa0${body}`), false],
        ["a blank line before", `\n${good}`, false],
        ["a space before", ` ${good}`, false],
        ["carriage returns", good.replaceAll("\n", "\r\n"), false],
        ["no last line", good.split("-----END")[0] ?? "", false],
        ["a letter less", armored(body.slice(1)), false],
        ["no padding", armored(body.replace(/=+$/u, "").slice(0, -1)), false],
        ["junk inside", armored(`*${body}`), false],
      ];
      for (const [name, text, taken] of table) {
        writeFileSync(join(cwd, "app.sig"), text, "latin1");
        const ran = await verify(cwd, "--signature", "app.sig", "--key", "k.pub", "--namespace", "file");
        expect([name, (await check(cwd, "file")) === 0, ran.exit]).toEqual([name, taken, taken ? 0 : 6]);
      }
    });
  }, 30_000);
});

/** 1 GiB that takes no room on the disk, with a few bytes at its end. */
function sparse(path: string): void {
  const descriptor = openSync(path, "w");
  ftruncateSync(descriptor, 1_073_741_824);
  writeSync(descriptor, "the end", 1_073_741_817);
  closeSync(descriptor);
}

describe.skipIf(process.env["WAYBILL_FULL"] === undefined)("a file of 1 GiB", () => {
  test.each(["minisign", "ssh", "raw"])(
    "%s in constant memory",
    async (format) => {
      await withKey(0, async (cwd) => {
        sparse(join(cwd, "app"));
        const verifying = ["verify", "artifact", "app", "--signature", "s", "--key", "k.pub"];
        const signing = ["sign", "app", "--key", "k", "--format", format, "--out", "s"];
        const [signed, verified] = [await waybillMemory(signing, cwd), await waybillMemory(verifying, cwd)];
        expect([signed.exit, verified.exit]).toEqual([0, 0]);
        expect(Math.min(signed.maxRss, verified.maxRss)).toBeGreaterThan(1_000_000);
        expect(Math.max(signed.maxRss, verified.maxRss)).toBeLessThan(120_000_000);
        const descriptor = openSync(join(cwd, "app"), "r+");
        writeSync(descriptor, "!", 500_000_000);
        closeSync(descriptor);
        expect((await waybill(verifying, { cwd })).exit).toBe(6);
      });
    },
    300_000,
  );
});
