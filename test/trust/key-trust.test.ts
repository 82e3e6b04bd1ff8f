import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waybill, waybillJson } from "./run-waybill.ts";
import { HAS, tool } from "./tools.ts";
import { adding, codeOf, verifyApp, withRoot } from "./with-root.ts";

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
  const byRoot = ["--key", "root"];
  const build = ["--role", "build", ...byRoot];
  const refusals: readonly (readonly [string, readonly string[], number, string])[] = [
    ["init over a root", ["init", "root.json", ...byRoot], 2, "file_exists"],
    ["init without a key", ["init", "new.json"], 2, "flag_missing"],
    ["a name that no key has", ["remove", "root.json", "nobody", ...byRoot], 2, "invalid_value"],
    ["a stranger's signature", [...adding("ci", "build"), "--key", "ci"], 6, "key_not_authorised"],
    ["a key without a role", add("x", "ci.pub", ...byRoot), 2, "flag_missing"],
    ["a role that is none", add("x", "ci.pub", "--role", "B", ...byRoot), 2, "invalid_value"],
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
    ["the last root key removed", ["remove", "root.json", "root", ...byRoot], 2, "trust_root_invalid"],
    ["the last root key revoked", ["revoke", "root.json", "root", ...byRoot], 2, "trust_root_invalid"],
    [
      "a digest that is none",
      ["revoke", "root.json", "root", "--still-trusted", "abc", ...byRoot],
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
