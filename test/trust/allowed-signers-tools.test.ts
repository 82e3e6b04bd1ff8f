import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { privateForm } from "../../src/trust/key-conversion.ts";
import { formatSshKey } from "../../src/trust/ssh-key.ts";
import { keyOf } from "./roots.ts";
import { inFolder, waybillJson } from "./run-waybill.ts";
import { HAS, tool } from "./tools.ts";

const line = formatSshKey(keyOf("me").publicKey.bytes);

/** A file `app`, signed as `app.sig` by ssh-keygen with the key in `k`. */
async function signApp(cwd: string): Promise<void> {
  const key = privateForm(keyOf("me"), "ssh", (count) => new Uint8Array(count), undefined);
  writeFileSync(join(cwd, "k"), key, { mode: 0o600 });
  writeFileSync(join(cwd, "app"), "bytes");
  await tool(["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", "k", "app"], cwd);
}

describe.skipIf(!HAS.sshKeygen)("ssh-keygen and waybill agree about who may sign", () => {
  // A reader that ends words elsewhere reads another name than the one that stands there.
  test.each([
    ["a space", `me@here ${line}`, 0],
    ["a tab", `me@here\t${line}`, 0],
    ["a space that does not break", `me@here\u00a0${line}`, 2],
    ["such a space before the name", `\u00a0me@here ${line}`, 2],
    ["such a space behind the key", `me@here ${line}\u00a0laptop`, 2],
    ["a byte-order mark", `\ufeffme@here ${line}`, 2],
  ])("by words: %s", async (_what, text, exit) => {
    await inFolder(async (cwd) => {
      await signApp(cwd);
      writeFileSync(join(cwd, "allowed"), `${text}\n`);
      const words = ["-f", "allowed", "-I", "me@here", "-n", "file", "-s", "app.sig"];
      const app = readFileSync(join(cwd, "app"));
      const theirs = await tool(["ssh-keygen", "-Y", "verify", ...words], cwd, app);
      const flags = ["--signature", "app.sig", "--trust", "allowed", "--namespace", "file"];
      const ours = await waybillJson(["verify", "artifact", "app", ...flags, "--identity", "me@here"], {
        cwd,
      });
      expect([theirs.code === 0, ours.exit]).toEqual([exit === 0, exit]);
    });
  });

  test("by window and namespace", async () => {
    await inFolder(async (cwd) => {
      await signApp(cwd);
      const table: readonly (readonly [string, string, string | null])[] = [
        ["", "20260601000000Z", null],
        ['namespaces="file" ', "20260601000000Z", null],
        ['namespaces="git,f*" ', "20260601000000Z", null],
        ['namespaces="git" ', "20260601000000Z", "key_not_authorised"],
        ['valid-after="20260101Z",valid-before="20260630Z" ', "20260601000000Z", null],
        ['valid-before="20260101Z" ', "20260601000000Z", "key_expired"],
        ['valid-after="20270101Z" ', "20260601000000Z", "key_not_yet_valid"],
      ];
      for (const [options, at, code] of table) {
        writeFileSync(join(cwd, "allowed"), `me@here ${options}${line}\n`);
        const args = ["-f", "allowed", "-I", "me@here", "-n", "file", "-s", "app.sig", `-Overify-time=${at}`];
        const theirs = await tool(
          ["ssh-keygen", "-Y", "verify", ...args],
          cwd,
          readFileSync(join(cwd, "app")),
        );
        const ours = await waybillJson(
          [
            "verify",
            "artifact",
            "app",
            "--signature",
            "app.sig",
            "--trust",
            "allowed",
            "--namespace",
            "file",
            "--at",
            "2026-06-01T00:00:00Z",
          ],
          { cwd },
        );
        const found: string | null = ours.document.error?.code ?? null;
        expect([options, theirs.code === 0, found]).toEqual([options, code === null, code]);
      }
    });
  }, 30_000);

  test("--identity is ssh-keygen's -I, for lists and patterns of principals too", async () => {
    await inFolder(async (cwd) => {
      await signApp(cwd);
      const other = formatSshKey(keyOf("other").publicKey.bytes);
      const table: readonly (readonly [string, string, readonly [number, string | null]])[] = [
        ["me@here", "me@here", [0, null]],
        ["me@here", "you@there", [6, "signer_unknown"]],
        ["me@here", "nobody", [2, "invalid_value"]],
        ["me@here", "me@her", [2, "invalid_value"]],
        ["me@here,me@work", "me@work", [0, null]],
        ["*@here", "me@here", [0, null]],
        ["m?@here", "me@here", [0, null]],
        ["*@here", "me@here.evil", [2, "invalid_value"]],
        ["*,!you@*", "me@here", [0, null]],
        ["*,!me@*", "me@here", [2, "invalid_value"]],
        ["!me@here", "me@work", [2, "invalid_value"]],
        ["ME@HERE", "me@here", [2, "invalid_value"]],
      ];
      for (const [principals, identity, wanted] of table) {
        writeFileSync(join(cwd, "allowed"), `${principals} ${line}\nyou@there ${other}\n`);
        const args = ["-f", "allowed", "-I", identity, "-n", "file", "-s", "app.sig"];
        const bytes = readFileSync(join(cwd, "app"));
        const theirs = await tool(["ssh-keygen", "-Y", "verify", ...args], cwd, bytes);
        const verify = ["verify", "artifact", "app", "--signature", "app.sig", "--trust", "allowed"];
        const ours = await waybillJson([...verify, "--namespace", "file", "--identity", identity], { cwd });
        const found = [ours.exit, ours.document.error?.code ?? null];
        const seen = [principals, identity, ...found];
        expect(seen).toEqual([principals, identity, ...wanted]);
        expect([...seen, theirs.code === 0]).toEqual([...seen, ours.exit === 0]);
        if (ours.exit === 0) expect(ours.document["accepted"]).toMatchObject([{ name: identity }]);
      }
    });
  }, 30_000);
});
