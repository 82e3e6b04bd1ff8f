import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { jsonOf, runWaybill } from "../support/binary.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** What a tired person or a broken script passes: each has an answer that is not a fault of waybill. */

setDefaultTimeout(60_000);

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

beforeAll(async () => {
  writeFileSync(folder.at("app"), "app");
  symlinkSync("loop", folder.at("loop"));
  mkdirSync(folder.at("folder"));
  writeFileSync(folder.at("a\nb"), "x");
  for (const name of ["root", "other"]) {
    expect((await run("key", "new", "--out", `${name}.key`)).code).toBe(0);
  }
  expect((await run("key", "trust", "init", "trust.json", "--key", "root.key")).code).toBe(0);
});

function run(...words: readonly string[]): ReturnType<typeof runWaybill> {
  return runWaybill(words, { cwd: folder.path, env: { TMPDIR: folder.at("no/such/folder") } });
}

const LONG = "n".repeat(300);
const SIGN = ["--key", "root.key", "--format", "ssh"];
const ADD = ["--name", "x", "--public-key", "other.key.pub", "--role", "build"];
const PLACE = ["--target", "prod=https://127.0.0.1:9"];
const PIN = ["--template", "a", "--digest", `sha256:${"0".repeat(64)}`];
const PUBLISH = ["--id", "a", "--version", "1", "--url", "https://127.0.0.1:9", "--token-env"];

const CASES: readonly (readonly [string, readonly string[], number, string, string])[] = [
  ["a file below a file", ["sign", "app/x", ...SIGN], 7, "path_not_found", "a part of its path is not"],
  ["a link to itself", ["sign", "loop", ...SIGN], 2, "file_unreadable", "too many symbolic links"],
  ["a name that is too long", ["sign", LONG, ...SIGN], 2, "file_unreadable", "its name is too long"],
  [
    "a signature that is a link to itself",
    ["verify", "artifact", "app", "--signature", "loop", "--key", "root.key.pub"],
    2,
    "file_unreadable",
    "too many symbolic links",
  ],
  [
    "an output below a file",
    ["sign", "app", ...SIGN, "--out", "app/x"],
    1,
    "output_not_written",
    "a part of its path is not a directory",
  ],
  [
    "an output in no folder",
    ["sign", "app", ...SIGN, "--out", "none/x"],
    1,
    "output_not_written",
    "its folder does not exist",
  ],
  [
    "an output that is a folder",
    ["sign", "app", ...SIGN, "--out", "folder"],
    2,
    "file_exists",
    "regular file",
  ],
  [
    "a root below a file",
    ["key", "trust", "init", "app/x", "--key", "root.key"],
    2,
    "file_unreadable",
    "a part",
  ],
  [
    "a trust root in a loop",
    ["key", "trust", "add", "loop", ...ADD],
    2,
    "file_unreadable",
    "too many symbolic",
  ],
  [
    "keys in a loop",
    ["key", "trust", "import", "trust.json", "--keys", "loop", "--role", "build"],
    2,
    "file_unreadable",
    "too many symbolic links",
  ],
  [
    "a trust state that nobody can look at",
    ["verify", "artifact", "app", "--signature", "app", "--trust", "trust.json", "--trust-state", "loop"],
    2,
    "file_unreadable",
    "too many symbolic links",
  ],
  [
    "a passphrase for no key",
    ["key", "trust", "add", "trust.json", ...ADD, "--passphrase-file", "app"],
    2,
    "flags_contradict",
    "--passphrase-file was given without a private key",
  ],
  [
    "a variable with the name of what every object has",
    ["sign", "app", "--key-env", "__proto__", "--format", "ssh"],
    4,
    "credential_missing",
    '"__proto__"',
  ],
  [
    "a token from such a variable",
    ["verify", "pin", ...PIN, ...PLACE, "--token-env", "prod=constructor"],
    4,
    "credential_missing",
    "$constructor",
  ],
  ["a pin without a digest", ["promote", "--pin", "codex", ...PLACE], 2, "invalid_value", "TEMPLATE=sha256:"],
  [
    "a template with an equals sign",
    ["verify", "pin", "--template", "a=b", ...PIN.slice(2), ...PLACE],
    2,
    "invalid_value",
    'the template is "a=b"',
  ],
  [
    "a configuration with a line break in its name",
    ["verify", "pin", ...PIN, "--config", "a\nb", "--all"],
    2,
    "config_invalid",
    'the configuration "a b" is not the JSON',
  ],
  ["a root that is a file", ["addon", "exec", "a", "--root", "app"], 2, "root_insecure", "not a folder"],
  ["a root below a file", ["addon", "plan", "--root", "app/x"], 2, "root_insecure", "a part of its path"],
  ["a root in a circle", ["addon", "status", "--root", "loop"], 2, "root_insecure", "too many symbolic"],
  ["pages for no folder", ["man", "--out", "app"], 1, "output_not_written", "something else has its name"],
  [
    "a variable whose name would colour the terminal",
    ["token", "list", "--database-env", "a\nb\u001b[31m"],
    4,
    "credential_missing",
    "$a b [31m secret not configured",
  ],
  ["a head that is no digest", ["verify", "addon", "--audit-head", "x\ny"], 2, "invalid_value", '"x y"'],
  [
    "a program below a file",
    ["addon", "publish", "app/x", ...PUBLISH, "HOME"],
    7,
    "path_not_found",
    "a part of its path",
  ],
  [
    "a folder to pack, and no place for it",
    ["addon", "publish", "folder", ...PUBLISH, "HOME"],
    1,
    "output_not_written",
    "its folder does not exist",
  ],
];

test.each(CASES)("%s", async (_what, words, code, failure, text) => {
  const ran = await run(...words, "--json");
  expect([ran.code, jsonOf(ran)]).toMatchObject([code, { error: { code: failure } }]);
  expect((jsonOf(ran)["error"] as { message: string }).message).toContain(text);
});
