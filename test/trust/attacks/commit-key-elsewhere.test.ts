import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formsOf } from "../../../src/trust/key-forms.ts";
import { createKeyFile } from "../../../src/trust/key-file.ts";
import { succeed } from "../../../src/trust/trust-root-succession.ts";
import { refusalOf } from "../refusal.ts";
import { aRoot, envelopeOf, signedRoot, trusted } from "../roots.ts";
import { waybill, waybillJson } from "../run-waybill.ts";
import { codeOf, withRoot } from "../with-root.ts";

// A key that somebody trusts with commits alone signs in a format that has no namespaces.
test.each([
  [["ssh", "--namespace", "git"], ["--namespace", "git"], 0],
  [["ssh"], [], 6],
  [["minisign"], [], 6],
  [["raw"], [], 6],
])("an artifact signed as %p", async (format, flags, exit) => {
  await withRoot([], async (cwd) => {
    const { publicKey } = createKeyFile(join(cwd, "k"));
    writeFileSync(join(cwd, "allowed"), `me@here namespaces="git" ${formsOf(publicKey).ssh}\n`);
    await waybill(["sign", "app", "--key", "k", "--out", "s", "--format", ...format], { cwd });
    const verify = ["verify", "artifact", "app", "--signature", "s", "--trust", "allowed", ...flags];
    const code = exit === 0 ? null : "key_not_authorised";
    expect(codeOf(await waybillJson(verify, { cwd }))).toEqual([exit, code]);
  });
});

test("the next trust root, though the key is in the role root", () => {
  const commits = trusted("commits", { roles: ["root"], namespaces: ["git"] });
  const held = aRoot([commits]);
  const next = { ...held, version: 2 };
  expect(refusalOf(() => signedRoot(held, ["commits"])).code).toBe("threshold_not_met");
  const signed = signedRoot(held, ["root"]);
  const now = new Date();
  expect(refusalOf(() => succeed(signed, envelopeOf(next, ["commits"]), "it", now)).code).toBe(
    "threshold_not_met",
  );
  expect(succeed(signed, envelopeOf(next, ["root"]), "it", now)?.root.version).toBe(2);
});

test("as the key of another tool, which knows no namespaces", async () => {
  await withRoot([], async (cwd, run) => {
    const { publicKey } = createKeyFile(join(cwd, "k"));
    writeFileSync(join(cwd, "allowed"), `me@here namespaces="git" ${formsOf(publicKey).ssh}\n`);
    const role = ["--role", "build"];
    const imported = await run(
      "import",
      "root.json",
      "--allowed-signers",
      "allowed",
      ...role,
      "--key",
      "root",
    );
    expect(imported.exit).toBe(0);
    for (const form of ["pem", "minisign"])
      expect(codeOf(await run("export", "root.json", "--to", form, ...role, "--out", "."))).toEqual([
        7,
        "nothing_checked",
      ]);
    const lines = await run("export", "root.json", "--to", "allowed-signers", ...role);
    expect(lines.document["text"]).toStartWith('me@here namespaces="git" ssh-ed25519 ');
  });
});
