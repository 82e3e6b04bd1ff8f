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

/** Whether ssh-keygen takes the signature of `app` by this name, with these allowed signers. */
async function theirs(cwd: string, allowed: string, name: string, ...more: string[]): Promise<boolean> {
  writeFileSync(join(cwd, "allowed"), allowed);
  const words = ["-f", "allowed", "-I", name, "-n", "file", "-s", "app.sig", ...more];
  const app = readFileSync(join(cwd, "app"));
  return (await tool(["ssh-keygen", "-Y", "verify", ...words], cwd, app)).code === 0;
}

/** The same for waybill: its exit code, and why. */
async function ours(cwd: string, ...more: string[]): ReturnType<typeof waybillJson> {
  const flags = ["--signature", "app.sig", "--trust", "allowed", "--namespace", "file", ...more];
  return waybillJson(["verify", "artifact", "app", ...flags], { cwd });
}

describe.skipIf(!HAS.sshKeygen)("ssh-keygen and waybill agree about who may sign", () => {
  // A reader that ends words elsewhere reads another name than the one that stands there.
  test.each<[string, string, number, number?]>([
    ["a space", `me@here ${line}`, 0],
    ["a tab", `me@here\t${line}`, 0],
    ["quotes around the name", `"me@here" ${line}`, 0],
    ["one key twice, first for this", `me@here ${line}\nme@here namespaces="git" ${line}`, 0],
    ["one key twice, then for this", `me@here namespaces="git" ${line}\nme@here ${line}`, 0],
    ["a space that does not break", `me@here\u00a0${line}`, 2],
    ["such a space before the name", `\u00a0me@here ${line}`, 2, 0],
    ["such a space behind the key", `me@here ${line}\u00a0laptop`, 2],
    ["a byte-order mark", `\ufeffme@here ${line}`, 2, 0],
    ["quotes that end before the name does", `"me"@here ${line}`, 2],
    ["two words in quotes", `"me@here""x" ${line}`, 2],
    ["a name behind an empty one", `""me@here ${line}`, 2],
    ["a list that takes names away alone", `!you@there ${line}`, 2],
    ["a namespace with a space before it", `me@here namespaces="git, file" ${line}`, 2],
    ["a namespace with a space behind it", `me@here namespaces="file ,git" ${line}`, 2],
    ["a namespace with a tab before it", `me@here namespaces="\tfile" ${line}`, 2],
  ])("by words: %s", async (_what, text, exit, nameless = exit) => {
    await inFolder(async (cwd) => {
      await signApp(cwd);
      const taken = await theirs(cwd, `${text}\n`, "me@here");
      const named = await ours(cwd, "--identity", "me@here");
      expect([taken, named.exit]).toEqual([exit === 0, exit]);
      // Also where nobody asks who it was: then it may be somebody of another name.
      expect((await ours(cwd)).exit).toBe(nameless);
    });
  });

  test.each<[string, string, string | null]>([
    ["", "2026-06-01T00:00:00Z", null],
    ['namespaces="file"', "2026-06-01T00:00:00Z", null],
    ['namespaces="git,f*"', "2026-06-01T00:00:00Z", null],
    ['namespaces="git"', "2026-06-01T00:00:00Z", "key_not_authorised"],
    ['namespaces="FILE"', "2026-06-01T00:00:00Z", "key_not_authorised"],
    ['valid-after="20260101Z",valid-before="20260630Z"', "2025-12-31T23:59:59Z", "key_not_yet_valid"],
    ['valid-after="20260101Z",valid-before="20260630Z"', "2026-01-01T00:00:00Z", null],
    ['valid-after="20260101Z",valid-before="20260630Z"', "2026-06-30T00:00:00Z", null],
    ['valid-after="20260101Z",valid-before="20260630Z"', "2026-06-30T00:00:01Z", "key_expired"],
  ])("by window and namespace: %s at %s", async (options, at, code) => {
    await inFolder(async (cwd) => {
      await signApp(cwd);
      const time = `-Overify-time=${at.replaceAll(/[-:T]/gu, "")}`;
      const taken = await theirs(cwd, `me@here ${options} ${line}\n`, "me@here", time);
      const { document } = await ours(cwd, "--at", at);
      expect<unknown[]>([taken, document.error?.code ?? null]).toEqual([code === null, code]);
    });
  });

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
        const taken = await theirs(cwd, `${principals} ${line}\nyou@there ${other}\n`, identity);
        const { exit, document } = await ours(cwd, "--identity", identity);
        expect([principals, identity, taken, exit, document.error?.code ?? null]).toEqual([
          principals,
          identity,
          exit === 0,
          ...wanted,
        ]);
        if (exit === 0) expect(document["accepted"]).toMatchObject([{ name: identity }]);
      }
    });
  }, 30_000);
});
