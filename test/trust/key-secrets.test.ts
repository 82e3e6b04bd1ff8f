import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { encodePkcs8 } from "../../src/trust/key-der.ts";
import { createKeyFile } from "../../src/trust/key-file.ts";
import { privateForm, type KeyForm } from "../../src/trust/key-conversion.ts";
import { BINARY, CLEAN_ENVIRONMENT, PROGRAM, runProgram, runWaybill } from "../support/binary.ts";
import { loadSigningKey } from "./keys-in-files.ts";
import { inFolder } from "./run-waybill.ts";
import { HAS, tool } from "./tools.ts";

const SIGN = ["sign", "app", "--format", "ssh", "--out", "app.sig"];

/** A folder with `app` and `release.key`; the PEM of that key. */
async function withKey(work: (cwd: string, pem: string) => Promise<void>): Promise<void> {
  await inFolder(async (cwd) => {
    createKeyFile(join(cwd, "release.key"));
    writeFileSync(join(cwd, "app"), "bytes");
    await work(cwd, readFileSync(join(cwd, "release.key"), "utf8"));
  });
}

/** Everything that could give a key away, in the spellings that logs see. */
function spellingsOf(cwd: string): readonly string[] {
  const key = loadSigningKey(join(cwd, "release.key"));
  const seed = Buffer.from(key.seed());
  return [
    ...(["hex", "base64", "base64url"] as const).map((name) =>
      seed.toString(name).slice(0, name === "hex" ? 64 : 43),
    ),
    Buffer.from(encodePkcs8(seed)).toString("base64").slice(24),
    "PRIVATE KEY-----",
  ];
}

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");

describe("a key for CI", () => {
  const spellings: readonly (readonly [string, (pem: string) => string])[] = [
    ["PEM", (pem) => pem],
    ["PEM with \\n spelled out", (pem) => pem.trim().replaceAll("\n", "\\n")],
    ["PEM in base64 on one line", (pem) => Buffer.from(pem).toString("base64")],
  ];
  const ways: readonly (readonly [string, readonly string[], "env" | "stdin" | "fd"])[] = [
    ["a variable", ["--key-env", "KEY"], "env"],
    ["standard input", ["--key", "-"], "stdin"],
    ["a descriptor", ["--key-fd", "7"], "fd"],
  ];
  const table = ways.flatMap(([way, flags, kind]) =>
    spellings.map(([spelling, spell]) => [way, spelling, flags, kind, spell] as const),
  );
  test.each(table)("comes by %s as %s", async (_way, _spelling, flags, kind, spell) => {
    await withKey(async (cwd, pem) => {
      const text = spell(pem);
      writeFileSync(join(cwd, "secret"), text, { mode: 0o600 });
      const command = [...PROGRAM, ...SIGN, ...flags, "--json"];
      const ran =
        kind === "fd"
          ? await tool(["sh", "-c", `${quoted(command)} 7< secret`], cwd)
          : await runProgram(command, {
              cwd,
              ...(kind === "env" ? { env: { KEY: text } } : { stdin: text }),
            });
      expect([ran.code, ran.stderr]).toEqual([0, ""]);
      const reference = await runWaybill([...SIGN, "--key", "release.key", "--json"], { cwd });
      expect(JSON.parse(ran.stdout)["signature"]).toBe(JSON.parse(reference.stdout)["signature"]);
      for (const secret of spellingsOf(cwd)) expect(ran.stdout + ran.stderr).not.toContain(secret);
    });
  });

  const refusals: readonly (readonly [string, readonly string[], number, string])[] = [
    ["two sources", ["--key", "release.key", "--key-fd", "3"], 2, "flags_contradict"],
    ["three sources", ["--key", "-", "--key-fd", "3", "--key-env", "K"], 2, "flags_contradict"],
    ["no source", [], 2, "flag_missing"],
    ["a descriptor that is not open", ["--key-fd", "9"], 2, "input_invalid"],
    ["a descriptor of the runtime itself", ["--key-fd", "5"], 2, "input_invalid"],
    ["standard output", ["--key-fd", "1"], 2, "invalid_value"],
    ["no number", ["--key-fd", "x"], 2, "invalid_value"],
    ["a variable that is not set", ["--key-env", "NONE"], 4, "credential_missing"],
    ["an empty standard input", ["--key", "-"], 2, "key_invalid"],
    [
      "two passphrases",
      ["--key", "release.key", "--passphrase-file", "a", "--passphrase-fd", "3"],
      2,
      "flags_contradict",
    ],
  ];
  test.each(refusals)("refuses %s", async (_name, flags, exit, code) => {
    await withKey(async (cwd) => {
      const ran = await runWaybill([...SIGN, ...flags, "--json"], { cwd, stdin: "" });
      expect([ran.code, JSON.parse(ran.stdout)["error"]["code"]]).toEqual([exit, code]);
      expect(readdirSync(cwd).toSorted()).toEqual(["app", "release.key", "release.key.pub"]);
    });
  });

  test("a passphrase by descriptor", async () => {
    await inFolder(async (cwd) => {
      writeFileSync(join(cwd, "app"), "bytes");
      const passphrase = new TextEncoder().encode("correct horse");
      const { publicKey } = createKeyFile(join(cwd, "k"), passphrase);
      writeFileSync(join(cwd, "pw"), "correct horse\n");
      const command = `${quoted([...PROGRAM, ...SIGN, "--key", "k", "--passphrase-fd", "3", "--json"])} 3< pw`;
      const ran = await tool(["sh", "-c", command], cwd);
      expect([ran.code, JSON.parse(ran.stdout)["keyid"]]).toEqual([0, publicKey.keyid]);
      expect(ran.stdout + ran.stderr).not.toContain("correct horse");
      const made = await tool(
        ["sh", "-c", `${quoted([...PROGRAM, "key", "new", "--out", "n", "--passphrase-fd", "3"])} 3< pw`],
        cwd,
      );
      expect(made.code).toBe(0);
      expect(readFileSync(join(cwd, "n"), "utf8")).toStartWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    });
  });
});

describe("nothing of a key gets out", () => {
  test("not even where somebody wrote it into another argument, in any spelling", async () => {
    await withKey(async (cwd) => {
      const seed = Buffer.from(loadSigningKey(join(cwd, "release.key")).seed());
      const spellings = (["hex", "base64", "base64url"] as const).map((name) => seed.toString(name));
      for (const secret of [...spellings, Buffer.from(encodePkcs8(seed)).toString("base64")]) {
        const words = ["sign", secret, "--key", "release.key", "--format", "ssh", "--out", "s"];
        const ran = await runWaybill([...words, "--json"], { cwd });
        expect([ran.code, JSON.parse(ran.stdout)["error"]["message"]]).toEqual([
          7,
          'artifact "***" cannot be read: it does not exist',
        ]);
        expect(ran.stdout + ran.stderr).not.toContain(secret);
      }
    });
  });

  test("whatever goes wrong with it", async () => {
    await withKey(async (cwd, pem) => {
      const key = loadSigningKey(join(cwd, "release.key"));
      const as = (form: KeyForm): string => privateForm(key, form, randomBytes, undefined);
      const texts = [
        pem.slice(0, -10),
        pem.replace("MC4", "MC5"),
        pem + pem,
        as("ssh").replaceAll("OPENSSH", "OPENSSL"),
        as("minisign").replace(/\n.{8}/u, "\nAAAAAAAA"),
        as("jwk").replace("OKP", "EC"),
        as("raw").slice(0, 40),
      ];
      for (const text of texts) {
        const ran = await runWaybill([...SIGN, "--key-env", "KEY", "--json", "--verbose"], {
          cwd,
          env: { KEY: text, GITHUB_ACTIONS: "true" },
        });
        expect([ran.code, JSON.parse(ran.stdout)["error"]["code"]]).toEqual([2, "key_invalid"]);
        // Nothing of it, be it whole or cut: the redactor does not know what is no key.
        const pieces = text.match(/[\w+/]{16}/gu) ?? [];
        expect(pieces).not.toEqual([]);
        for (const piece of pieces) expect(ran.stdout + ran.stderr).not.toContain(piece);
      }
    });
  }, 20_000);

  test.skipIf(!HAS.strace || BINARY === null)(
    "no other program runs while a key is held",
    async () => {
      await withKey(async (cwd, pem) => {
        for (const format of ["ssh", "minisign", "raw"]) {
          const traced = ["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", "trace", ...PROGRAM];
          const ran = await runProgram(
            [...traced, "sign", "app", "--format", format, "--out", "s", "--key-env", "KEY"],
            { cwd, env: { KEY: pem } },
          );
          expect(ran.code).toBe(0);
          // The one line is the start of waybill itself.
          const started = readFileSync(join(cwd, "trace"), "utf8")
            .split("\n")
            .filter((line) => line.includes("exec"));
          expect(started).toHaveLength(1);
        }
      });
    },
    30_000,
  );

  test("no module of the commands that hold one can start a program", () => {
    const folder = resolve(import.meta.dir, "../../src/commands");
    const holders = readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => /from "[^"]*\/key-flags\.ts"/u.test(readFileSync(path, "utf8")));
    const promote = join(folder, "promote.ts");
    expect(importsOf(promote, new Set())).toContain(join(folder, "promote-receipts.ts"));
    expect(holders.length).toBeGreaterThan(10);
    for (const path of [...holders, promote]) {
      const reached = importsOf(path, new Set());
      expect([...reached].filter((file) => /host\/(?:processes|children)\.ts$/u.test(file))).toEqual([]);
      for (const file of reached) {
        const starts = /Bun\.spawn|child_process|Bun\.\$/u.test(readFileSync(file, "utf8"));
        expect([file, starts]).toEqual([file, false]);
      }
    }
  });
});

/** A file and every source file that it imports, directly or not. */
function importsOf(path: string, found: Set<string>): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, target = ""] of readFileSync(path, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/gu))
    importsOf(resolve(dirname(path), target), found);
  return found;
}

/**
 * Types at a terminal: waits for each question before it answers. Prints what the terminal showed, and the exit code.
 */
const TYPIST = `
import os, pty, select, sys
answers = eval(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, asked = b"", 0
while True:
    if not select.select([fd], [], [], 20)[0]:
        break
    try:
        piece = os.read(fd, 1000)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    while asked < len(answers) and shown.count(b": ") > asked:
        os.write(fd, answers[asked])
        asked += 1
sys.stdout.write(shown.decode() + "|" + str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
`;

const type = async (cwd: string, answers: readonly string[], args: readonly string[]): Promise<string> => {
  const list = `[${answers.map((answer) => `b${JSON.stringify(answer).replaceAll("\\u00", "\\x")}`).join(",")}]`;
  const ran = await runProgram(["python3", "-c", TYPIST, list, ...PROGRAM, ...args], {
    cwd,
    env: { ...CLEAN_ENVIRONMENT, TERM: "dumb" },
  });
  return ran.stdout;
};

describe.skipIf(!HAS.python)("a passphrase at a terminal", () => {
  test("is asked for twice, is not shown, and opens the key again", async () => {
    await inFolder(async (cwd) => {
      writeFileSync(join(cwd, "app"), "bytes");
      const made = await type(cwd, ["sesame9\r", "sesame9\r"], ["key", "new", "--out", "k", "--passphrase"]);
      expect(made).toEndWith("|0");
      expect(made).toContain("Once more: ");
      expect(made).not.toContain("sesame9");
      expect(readFileSync(join(cwd, "k"), "utf8")).toStartWith("-----BEGIN ENCRYPTED");
      // A slip of the hand, taken back.
      const signed = await type(cwd, ["sesamx\u007fe9\r"], ["sign", "app", "--key", "k", "--format", "ssh"]);
      expect([signed.endsWith("|0"), signed.includes("app.sig"), signed.includes("sesame")]).toEqual([
        true,
        true,
        false,
      ]);
      const wrong = await type(cwd, ["sesame8\r"], ["sign", "app", "--key", "k", "--format", "ssh"]);
      expect([wrong.endsWith("|2"), wrong.includes("the passphrase is wrong")]).toEqual([true, true]);
    });
  }, 40_000);

  test("two that differ, none, and ^C leave no key", async () => {
    await inFolder(async (cwd) => {
      const args = ["key", "new", "--out", "k", "--passphrase"];
      expect(await type(cwd, ["one\r", "two\r"], args)).toMatch(/the two passphrases differ[\s\S]*\|2$/u);
      expect(await type(cwd, ["\r"], args)).toMatch(/the passphrase is empty[\s\S]*\|2$/u);
      expect(await type(cwd, ["\u0003"], args)).toMatch(/stopped by \^C[\s\S]*\|130$/u);
      expect(readdirSync(cwd)).toEqual([]);
    });
  }, 40_000);

  test("without a terminal it is a wrong argument", async () => {
    await inFolder(async (cwd) => {
      const ran = await runWaybill(["key", "new", "--out", "k", "--passphrase", "--json"], { cwd });
      expect([ran.code, JSON.parse(ran.stdout)["error"]["code"]]).toEqual([2, "input_invalid"]);
    });
  });
});
