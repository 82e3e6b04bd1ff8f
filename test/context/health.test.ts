import { expect, test } from "bun:test";
import { renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../src/base/limits.ts";
import { git, HAS_GIT, makeRepository } from "../source/support/repository.ts";
import { plantFiles } from "./support/disk-tree.ts";
import { leavesOf, referenceTreeHash } from "./support/reference-hashes.ts";
import { captureJson, waybill, warningCodes } from "./support/run-capture.ts";
import { scratchFolders } from "./support/scratch.ts";

const newFolder = scratchFolders();
const KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n";

test("secrets that ship are counted and named, and their values are nowhere", async () => {
  const root = plantFiles(newFolder(), {
    ".env": "PASSWORD=hunter22",
    "deploy.pem": KEY,
    ".npmrc": "//registry.example.com/:_authToken=npm_hunter22",
    "ignored.key": KEY,
    ".dockerignore": "ignored.key\n",
    "key.ts": "export const key = 1;",
  });
  symlinkSync("/etc/passwd", join(root, "id_rsa"));
  const { exit, document, stdout, stderr } = await captureJson(root);
  expect([exit, document.health?.secrets]).toEqual([
    0,
    {
      count: 3,
      found: [
        { path: ".env", kind: "env_file" },
        { path: ".npmrc", kind: "npm_token" },
        { path: "deploy.pem", kind: "private_key" },
      ],
      unchecked: 0,
    },
  ]);
  expect(warningCodes(document)).toEqual(["secrets_shipped"]);
  expect(stderr).toContain(".env, .npmrc, deploy.pem");
  expect(stdout + stderr).not.toMatch(/hunter22|MC4CAQ/u);
  const strict = await captureJson(root, ["--strict"]);
  expect([strict.exit, strict.document.error?.code]).toEqual([5, "requirement_not_met"]);
});

test.skipIf(!HAS_GIT)(
  "a credential in .git/config ships only with --include-vcs, and is then told",
  async () => {
    const root = makeRepository(newFolder(), { remote: "https://user:hunter22@git.example.com/a/b" });
    expect((await captureJson(root)).document.health?.secrets.count).toBe(0);
    const { document, stdout } = await captureJson(root, ["--include-vcs"]);
    expect(document.health?.secrets.found).toEqual([{ path: ".git/config", kind: "git_credentials" }]);
    expect(stdout).not.toContain("hunter22");
  },
);

test("files beyond the ceiling are not looked into, and counted", async () => {
  const count = LIMITS.secretLooks + 2;
  const files = Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.key`, "x"]));
  const { document } = await captureJson(plantFiles(newFolder(), files));
  expect(document.health?.secrets).toEqual({ count: 0, found: [], unchecked: 2 });
});

test("the ten largest files are named, the largest first", async () => {
  const sizes = [5, 1, 12, 7, 3, 9, 2, 11, 4, 10, 6, 8];
  const files = Object.fromEntries(sizes.map((size) => [`file-${size}`, "x".repeat(size)]));
  const { document } = await captureJson(plantFiles(newFolder(), files));
  expect(document.health?.largest.map(({ size }) => size)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  expect(document.health?.over_limit).toBe(false);
});

test("case 63: more bytes than the server takes are told before anything is sent", async () => {
  const root = plantFiles(newFolder(), { large: "" });
  truncateSync(join(root, "large"), LIMITS.contextArchiveBytes + 1);
  const { exit, document } = await captureJson(root);
  expect([exit, document.health?.over_limit, warningCodes(document)]).toEqual([
    0,
    true,
    ["context_too_large"],
  ]);
});

test("case 58: names that differ by their case alone are told", async () => {
  const root = plantFiles(newFolder(), { "src/Main.ts": "a", "src/main.ts": "b", "SRC/x": "c" });
  const { document } = await captureJson(root);
  expect(document.health?.case_collisions).toEqual([{ path: "src/main.ts" }]);
  expect(warningCodes(document)).toEqual(["names_collide"]);
});

test("case 58: names that are no text are not the same for that", async () => {
  const root = newFolder();
  for (const byte of [0xfe, 0xff]) {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(byte)]), "x");
  }
  const { document } = await captureJson(root);
  expect([document.context.files, document.health?.case_collisions]).toEqual([2, []]);
});

test("case 57: names in decomposed Unicode are hashed as they are, and counted", async () => {
  const composed = plantFiles(newFolder(), { "caf\u00e9": "x" });
  const decomposed = plantFiles(newFolder(), { "cafe\u0301": "x" });
  const [one, other] = [(await captureJson(composed)).document, (await captureJson(decomposed)).document];
  expect([one.volatile["decomposed_names"], other.volatile["decomposed_names"]]).toEqual([0, 1]);
  expect([one, other].map(({ digests }) => digests["working_tree_hash"])).toEqual(
    [composed, decomposed].map((root) => referenceTreeHash(leavesOf(root))),
  );
});

test.skipIf(!HAS_GIT)(
  "case 57: a name in another Unicode form than the commit's is told as that",
  async () => {
    const root = makeRepository(newFolder(), { files: { "caf\u00e9": "x", "\u00fcber/a": "a" } });
    renameSync(join(root, "caf\u00e9"), join(root, "cafe\u0301"));
    plantFiles(root, { "nai\u0308ve": "new" });
    const { document } = await captureJson(root);
    expect(document.matches_commit_detail.counts).toEqual({ missing: 1, untracked: 2 });
    const told = document.warnings.map(({ code, message }) => [code, message.split(" ")[0]]);
    expect(told).toEqual([["unicode_form_differs", "cafe\u0301"]]);
    renameSync(join(root, "cafe\u0301"), join(root, "caf\u00e9"));
    expect((await captureJson(root)).document.warnings).toEqual([]);
  },
);

test.skipIf(!HAS_GIT)("what makes one commit another hash on another machine is told", async () => {
  const root = makeRepository(newFolder());
  git(root, "config", "core.autocrlf", "input");
  git(root, "config", "core.eol", "lf");
  git(root, "config", "core.fileMode", "false");
  git(root, "config", "core.ignoreCase", "true");
  git(root, "config", "core.symlinks", "true");
  const { stdout } = await waybill(["capture", root, "--json"], { umask: "027" });
  expect(JSON.parse(stdout).volatile).toEqual({
    platform: process.platform,
    umask: "0027",
    git_version: git(root, "version").replace("git version ", ""),
    autocrlf: "input",
    eol: "lf",
    file_mode: "false",
    ignore_case: "true",
    precompose_unicode: null,
    symlinks: "true",
    decomposed_names: 0,
  });
});

test.skipIf(!HAS_GIT)(
  "case 42: why two machines hash one commit differently is in reach of whoever asks",
  async () => {
    const base = newFolder();
    const origin = makeRepository(join(base, "origin"), { files: { a: "one\ntwo\n" } });
    const [unix, windows] = [join(base, "unix"), join(base, "windows")];
    git("/", "clone", "-q", origin, unix);
    git("/", "clone", "-q", "-c", "core.autocrlf=true", origin, windows);
    const outputs = [unix, windows].map((place) => `${place}.json`);
    for (const [index, place] of [unix, windows].entries()) {
      await waybill(["capture", place, "--json", "--out", outputs[index] ?? ""]);
    }
    const report = await waybill(["capture", windows]);
    expect(report.stdout).toContain("dirty           false\nmatches commit  false\n");
    expect(report.stdout).toMatch(/^ +1 eol_only: a\nthis machine +platform \w+, .*autocrlf true, /mu);
    const compared = await waybill(["diff", ...outputs]);
    expect(compared.exit).toBe(8);
    expect(compared.stdout).toContain("\nvolatile.autocrlf: null and true\n");
  },
);

test("what nobody looked into does not pass a strict run", async () => {
  const files = Object.fromEntries(
    Array.from({ length: LIMITS.secretLooks + 1 }, (_, index) => [`${index}.key`, "x"]),
  );
  const { exit, document } = await captureJson(plantFiles(newFolder(), files), ["--strict"]);
  expect([exit, warningCodes(document)]).toEqual([7, ["secrets_unchecked"]]);
});

const REFUSED: readonly { name: string; files: Readonly<Record<string, string>>; large?: true }[] = [
  { name: "a secret", files: { ".env": "A=1" } },
  { name: "names that collide", files: { A: "a", a: "b" } },
  { name: "more than the server takes", files: { large: "" }, large: true },
];

for (const { name, files, large } of REFUSED) {
  test(`--strict refuses ${name} with 5, and without it that is a warning`, async () => {
    const root = plantFiles(newFolder(), files);
    if (large) truncateSync(join(root, "large"), LIMITS.contextArchiveBytes + 1);
    expect((await waybill(["capture", root])).exit).toBe(0);
    const { exit, document } = await captureJson(root, ["--strict"]);
    expect([exit, document.error?.code]).toEqual([5, "requirement_not_met"]);
  });
}
