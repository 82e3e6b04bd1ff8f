import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../src/base/limits.ts";
import { formsOf } from "../../src/trust/key-forms.ts";
import { inspectKeyFile } from "./keys-in-files.ts";
import { waybill, waybillJson } from "./run-waybill.ts";
import { HAS, tool } from "./tools.ts";
import { adding, codeOf, verifyApp, withRoot } from "./with-root.ts";

const BY_ROOT = ["--key", "root"];

describe("a root with one root key", () => {
  test("is changed in place, and decides whose signature counts", async () => {
    await withRoot(["ci", "next"], async (cwd, run) => {
      const added = await run(...adding("ci", "build"), "--scope", "app*", "--key", "root");
      expect(added.document).toMatchObject({
        ok: true,
        outcome: "in_place",
        written: "root.json",
        version: 2,
      });
      await waybill(["sign", "app", "--key", "ci", "--format", "ssh"], { cwd });

      const good = await verifyApp(cwd, "--signature", "app.sig");
      expect(good.document).toMatchObject({
        ok: true,
        checked: 1,
        accepted: [{ kind: "signature", format: "ssh", name: "ci" }],
      });
      const table: readonly (readonly [readonly string[], number, string | null])[] = [
        [["--role", "promote"], 6, "key_not_authorised"],
        [["--artifact", "other"], 6, "key_not_authorised"],
        [["--artifact", "app-2"], 0, null],
        [["--identity", "ci"], 0, null],
        [["--identity", "root"], 6, "signer_unknown"],
        [["--at", "2020-01-01"], 0, null],
        [["--at", "2020-02-30"], 2, "invalid_value"],
        [["--role", "No"], 2, "invalid_value"],
        [["--key", "ci.pub"], 2, "flags_contradict"],
      ];
      for (const [flags, exit, code] of table)
        expect([flags, ...codeOf(await verifyApp(cwd, "--signature", "app.sig", ...flags))]).toEqual([
          flags,
          exit,
          code,
        ]);

      const rotated = await run(
        "rotate",
        "root.json",
        "ci",
        "--new-name",
        "ci-2",
        "--public-key",
        "next.pub",
        "--overlap",
        "1h",
        "--key",
        "root",
      );
      expect(rotated.document).toMatchObject({ version: 3, outcome: "in_place" });
      await waybill(["sign", "app", "--key", "next", "--format", "minisign"], { cwd });
      expect((await verifyApp(cwd, "--signature", "app.sig")).exit).toBe(0);
      expect((await verifyApp(cwd, "--signature", "app.minisig")).exit).toBe(0);
      const afterwards = new Date(Date.now() + 7_200_000).toISOString().replace(/\.\d+Z$/u, "Z");
      expect(codeOf(await verifyApp(cwd, "--signature", "app.sig", "--at", afterwards))).toEqual([
        6,
        "key_expired",
      ]);
      expect((await verifyApp(cwd, "--signature", "app.minisig", "--at", afterwards)).exit).toBe(0);

      const digest = good.document["sha256"];
      await run("revoke", "root.json", "ci-2", "--reason", "lost", "--key", "root");
      expect(codeOf(await verifyApp(cwd, "--signature", "app.minisig"))).toEqual([6, "key_revoked"]);
      await run(
        "revoke",
        "root.json",
        "ci-2",
        "--still-trusted",
        `sha256:${String(digest)}`,
        "--key",
        "root",
      );
      expect((await verifyApp(cwd, "--signature", "app.minisig")).exit).toBe(0);
      await run("remove", "root.json", "ci-2", "--key", "root");
      expect(codeOf(await verifyApp(cwd, "--signature", "app.minisig"))).toEqual([6, "signature_invalid"]);

      const listed = await run("list", "root.json");
      expect(listed.document).toMatchObject({
        version: 6,
        kind: "trust_root",
        keys: [{ name: "root", state: "valid" }, { name: "ci" }],
      });
      expect(readdirSync(cwd).filter((name) => name.startsWith("root.json"))).toEqual(["root.json"]);
    });
  }, 60_000);

  const add = (name: string, key: string, ...more: string[]): string[] => [
    ...["add", "root.json", "--name", name, "--public-key", key],
    ...more,
  ];
  const build = ["--role", "build", ...BY_ROOT];
  const refusals: readonly (readonly [string, readonly string[], number, string])[] = [
    ["init over a root", ["init", "root.json", ...BY_ROOT], 2, "file_exists"],
    ["init without a key", ["init", "new.json"], 2, "flag_missing"],
    ["a name that no key has", ["remove", "root.json", "nobody", ...BY_ROOT], 2, "invalid_value"],
    ["a stranger's signature", [...adding("ci", "build"), "--key", "ci"], 6, "key_not_authorised"],
    ["a key without a role", add("x", "ci.pub", ...BY_ROOT), 2, "flag_missing"],
    ["a role that is none", add("x", "ci.pub", "--role", "B", ...BY_ROOT), 2, "invalid_value"],
    ["a name that is none", add("a/b", "ci.pub", ...build), 2, "invalid_value"],
    ["a private key", add("x", "ci", ...build), 2, "key_invalid"],
    ["a weak key", add("x", "00".repeat(32), ...build), 2, "key_weak"],
    ["a threshold that is none", add("x", "ci.pub", "--threshold", "build", ...build), 2, "invalid_value"],
    [
      "a threshold that locks everybody out",
      add("x", "ci.pub", "--threshold", "root=2", ...build),
      2,
      "trust_root_invalid",
    ],
    ["the last root key removed", ["remove", "root.json", "root", ...BY_ROOT], 2, "trust_root_invalid"],
    ["the last root key revoked", ["revoke", "root.json", "root", ...BY_ROOT], 2, "trust_root_invalid"],
    [
      "a digest that is none",
      ["revoke", "root.json", "root", "--still-trusted", "abc", ...BY_ROOT],
      2,
      "invalid_value",
    ],
    ["a missing root", ["list", "none.json"], 2, "file_unreadable"],
    ["something else than a root", ["update", "root.json", "app"], 6, "envelope_malformed"],
  ];
  test.each(refusals)("refuses %s", async (_name, args, exit, code) => {
    await withRoot(["ci"], async (cwd, run) => {
      const before = readFileSync(join(cwd, "root.json"), "utf8");
      expect(codeOf(await run(...args))).toEqual([exit, code]);
      expect(readFileSync(join(cwd, "root.json"), "utf8")).toBe(before);
      expect(existsSync(join(cwd, "root.json.next"))).toBe(false);
    });
  });
});

test("keys are listed with whether they count now", async () => {
  await withRoot(["old", "next", "lost"], async (_cwd, run) => {
    const windows = [["old", "--until", "2020-01-01"], ["next", "--from", "2999-01-01"], ["lost"]] as const;
    for (const [name, ...window] of windows)
      expect((await run(...adding(name, "build"), ...window, "--key", "root")).exit).toBe(0);
    expect((await run("revoke", "root.json", "lost", "--key", "root")).exit).toBe(0);
    const { document } = await run("list", "root.json");
    expect(document["keys"]).toMatchObject([
      { name: "root", state: "valid" },
      { name: "old", state: "expired" },
      { name: "next", state: "not_yet_valid" },
      { name: "lost", state: "revoked" },
    ]);
    const pem = ["export", "root.json", "--to", "pem", "--role", "build", "--out", "."];
    expect(codeOf(await run(...pem))).toEqual([7, "nothing_checked"]);
    const lines = await run("export", "root.json", "--to", "allowed-signers", "--role", "build");
    expect(lines.document["keys"]).toEqual(["old", "next"]);
  });
});

test("allowed signers are listed as who may act in every role", async () => {
  await withRoot([], async (_, run) => {
    const exported = await run("export", "root.json", "--to", "allowed-signers", "--out", "allowed");
    expect(exported.exit).toBe(0);
    const { document } = await run("list", "allowed");
    expect(document).toMatchObject({ kind: "allowed_signers", keys: [{ name: "root", roles: null }] });
    expect((await run("list", "root.json")).document).toMatchObject({ keys: [{ roles: ["root"] }] });
  });
});

describe("import and export", () => {
  test.each(["allowed-signers", "pem", "minisign"])("scopes, which %s cannot say, are told", async (form) => {
    await withRoot(["ci"], async (cwd, run) => {
      const ci = ["--name", "ci", "--public-key", "ci.pub", "--role", "build", "--scope", "app*"];
      expect((await run("add", "root.json", ...ci, "--key", "root")).exit).toBe(0);
      mkdirSync(join(cwd, "out"));
      const out = form === "allowed-signers" ? "allowed" : "out";
      const ran = await run("export", "root.json", "--to", form, "--role", "build", "--out", out);
      expect([ran.exit, ran.stderr]).toEqual([
        0,
        `warning: key "ci" is trusted for app* alone, which ${form} cannot say\n`,
      ]);
      expect((await run("export", "root.json", "--to", form, "--role", "root", "--out", out)).stderr).toBe(
        "",
      );
    });
  });

  test("a folder of PEM and minisign files", async () => {
    await withRoot(["a", "b"], async (cwd, run) => {
      mkdirSync(join(cwd, "keys"));
      // As a volume of Kubernetes has its files.
      symlinkSync("../a.pub", join(cwd, "keys/a.pem"));
      symlinkSync("../none", join(cwd, "keys/lost.pem"));
      const minisign = await waybill(["key", "convert", "b.pub", "--to", "minisign"], { cwd });
      writeFileSync(join(cwd, "keys/b.pub"), minisign.stdout);
      writeFileSync(join(cwd, "keys/README"), "x");
      const ran = await run("import", "root.json", "--keys", "keys", "--role", "addon", "--key", "root");
      expect(ran.document).toMatchObject({
        outcome: "in_place",
        keys: [{ name: "root" }, { name: "a", roles: ["addon"] }, { name: "b" }],
      });
      expect(ran.stderr).toContain('"README" is no .pem or .pub file');
      expect(ran.stderr).toContain('"lost.pem" is no .pem or .pub file');

      mkdirSync(join(cwd, "out"));
      const pem = await run("export", "root.json", "--to", "pem", "--role", "addon", "--out", "out");
      expect([pem.exit, readdirSync(join(cwd, "out")).toSorted()]).toEqual([0, ["a.pem", "b.pem"]]);
      expect(readFileSync(join(cwd, "out/a.pem"), "utf8")).toBe(readFileSync(join(cwd, "a.pub"), "utf8"));
      await run("export", "root.json", "--to", "minisign", "--role", "addon", "--out", "out");
      expect(readFileSync(join(cwd, "out/b.pub"), "utf8")).toBe(minisign.stdout);
      expect(codeOf(await run("export", "root.json", "--to", "pem", "--out", "out"))).toEqual([
        2,
        "file_exists",
      ]);
      // Nothing is left of the keys that came before the one whose name was taken.
      expect(readdirSync(join(cwd, "out")).toSorted()).toEqual(["a.pem", "a.pub", "b.pem", "b.pub"]);
      expect(codeOf(await run("export", "root.json", "--to", "pem"))).toEqual([2, "flag_missing"]);
      expect(codeOf(await run("export", "root.json", "--to", "allowed-signers", "--role", "none"))).toEqual([
        7,
        "nothing_checked",
      ]);
    });
  }, 30_000);

  test("allowed signers keep their windows, and get names and windows where they have none", async () => {
    await withRoot(["a", "b"], async (cwd, run) => {
      const [a, b] = ["a", "b"].map(
        (name) => formsOf(inspectKeyFile(join(cwd, `${name}.pub`)).publicKey).ssh,
      );
      const own = 'valid-after="20260101Z",valid-before="20270101Z"';
      writeFileSync(join(cwd, "allowed"), `me@here ${own} ${a}\n*@here,!you@here ${b}\n`);
      const from = ["import", "root.json", "--allowed-signers", "allowed", "--role", "build", ...BY_ROOT];
      const { document } = await run(...from, "--from", "2026-02-02", "--until", "2030-03-03");
      expect(document["keys"]).toMatchObject([
        { name: "root" },
        {
          name: "me@here",
          valid_from: "2026-01-01T00:00:00.000Z",
          valid_until: "2027-01-01T00:00:00.000Z",
        },
        {
          name: expect.stringMatching(/^key-[0-9a-f]{1,16}$/u),
          valid_from: "2026-02-02T00:00:00.000Z",
          valid_until: "2030-03-03T00:00:00.000Z",
        },
      ]);
    });
  });

  test("no more than anybody would keep", async () => {
    await withRoot([], async (cwd, run) => {
      mkdirSync(join(cwd, "many"));
      for (let at = 0; at <= LIMITS.trustedKeys; at++) writeFileSync(join(cwd, "many", `${at}`), "");
      const many = ["import", "root.json", "--keys", "many", "--role", "build", ...BY_ROOT];
      expect(codeOf(await run(...many))).toEqual([2, "input_invalid"]);
      const { ssh } = formsOf(inspectKeyFile(join(cwd, "root.pub")).publicKey);
      writeFileSync(join(cwd, "long"), `me ${ssh} ${"x".repeat(LIMITS.allowedSignersBytes)}\n`);
      const long = ["import", "root.json", "--allowed-signers", "long", "--role", "build", ...BY_ROOT];
      expect(codeOf(await run(...long))).toEqual([2, "file_unreadable"]);
      expect(codeOf(await run("list", "long"))).toEqual([2, "trust_root_invalid"]);
    });
  });

  test.skipIf(!HAS.sshKeygen)(
    "allowed signers, and back to ssh-keygen",
    async () => {
      await withRoot(["me"], async (cwd, run) => {
        const line = (await waybill(["key", "convert", "me.pub", "--to", "ssh"], { cwd })).stdout.trim();
        writeFileSync(
          join(cwd, "allowed"),
          `me@here namespaces="file",valid-before="20991231Z" ${line}\n*@x ssh-rsa AAAA\n`,
        );
        const ran = await run(
          "import",
          "root.json",
          "--allowed-signers",
          "allowed",
          "--role",
          "build",
          "--key",
          "root",
        );
        expect(ran.document["keys"]).toMatchObject([
          { name: "root" },
          { name: "me@here", namespaces: ["file"], valid_until: "2099-12-31T00:00:00.000Z" },
        ]);
        expect(ran.stderr).toContain('unsupported key type "ssh-rsa"');

        await waybill(["sign", "app", "--key", "me", "--format", "ssh", "--namespace", "file"], { cwd });
        const flags = ["--signature", "app.sig", "--namespace", "file"];
        expect((await verifyApp(cwd, ...flags)).exit).toBe(0);
        const exported = await waybill(
          ["key", "trust", "export", "root.json", "--to", "allowed-signers", "--role", "build"],
          { cwd },
        );
        writeFileSync(join(cwd, "exported"), exported.stdout);
        expect(exported.stdout).toStartWith(
          'me@here namespaces="file",valid-before="20991231000000Z" ssh-ed25519 ',
        );
        const check = [
          "ssh-keygen",
          "-Y",
          "verify",
          "-f",
          "exported",
          "-I",
          "me@here",
          "-n",
          "file",
          "-s",
          "app.sig",
        ];
        expect((await tool(check, cwd, "bytes")).code).toBe(0);
        await run("revoke", "root.json", "me@here", "--key", "root");
        expect(
          codeOf(await run("export", "root.json", "--to", "allowed-signers", "--role", "build")),
        ).toEqual([7, "nothing_checked"]);
      });
    },
    30_000,
  );
});

describe("verify artifact says which flags go together", () => {
  const table: readonly (readonly [string, readonly string[], string])[] = [
    ["a signature alone", ["--signature", "app.sig"], "flag_missing"],
    ["trust alone", ["--trust", "root.json"], "flags_contradict"],
    [
      "a role without trust",
      ["--signature", "app.sig", "--key", "root.pub", "--role", "build"],
      "flags_contradict",
    ],
    ["a namespace without a signature", ["--sha256", "0".repeat(64), "--namespace", "x"], "flags_contradict"],
    ["legacy without a signature", ["--sha256", "0".repeat(64), "--allow-legacy"], "flags_contradict"],
    [
      "a state for allowed signers",
      ["--signature", "app.sig", "--trust", "allowed", "--trust-state", "s"],
      "flags_contradict",
    ],
    [
      "allowed signers without one of ours",
      ["--signature", "app.sig", "--trust", "app"],
      "trust_root_invalid",
    ],
  ];
  test.each(table)("%s", async (_name, flags, code) => {
    await withRoot([], async (cwd) => {
      writeFileSync(join(cwd, "app.sig"), "x");
      const line = (await waybill(["key", "convert", "root.pub", "--to", "ssh"], { cwd })).stdout;
      writeFileSync(join(cwd, "allowed"), `me ${line}`);
      expect(codeOf(await waybillJson(["verify", "artifact", "app", ...flags], { cwd }))).toEqual([2, code]);
      expect(existsSync(join(cwd, "s"))).toBe(false);
    });
  });
});
