import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { BOUND_BY_MODES, CAN_BE_BOUND, captureJson, waybill } from "../context/support/run-capture.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { listNames } from "../context/support/tar-readers.ts";

const newFolder = scratchFolders();

type Explained = {
  readonly exit: number;
  readonly path?: string;
  readonly included?: boolean;
  readonly rule?: { readonly pattern: string; readonly line: number } | null;
  readonly reason?: string;
  readonly error?: { readonly code: string };
};

async function explained(context: string, path: string, ...args: readonly string[]): Promise<Explained> {
  const ran = await waybill(["explain", path, "--context", context, ...args, "--json"]);
  const document = JSON.parse(ran.stdout);
  expect([document.schema, document.exit_code]).toEqual(["waybill.explain/v1", ran.exit]);
  return { exit: ran.exit, ...document };
}

const IGNORE = "# first\nnode_modules\n*.log\n!keep.log\n\nvendor\n!vendor/app/**\nDockerfile\n";
const FILES = {
  ".dockerignore": IGNORE,
  Dockerfile: "FROM scratch\n",
  "src/main.ts": "x",
  "node_modules/a/b.js": "x",
  "a.log": "x",
  "keep.log": "x",
  "vendor/app/main": "x",
  "vendor/other/main": "x",
  ".git/config": "x",
};

type Case = readonly [path: string, included: boolean, reason: string, rule: [string, number] | null];
const CASES: readonly Case[] = [
  ["src/main.ts", true, "no_rule", null],
  ["src", true, "no_rule", null],
  [".", true, "context_root", null],
  ["node_modules", false, "rule", ["node_modules", 2]],
  ["node_modules/a/b.js", false, "rule", ["node_modules", 2]],
  ["a.log", false, "rule", ["*.log", 3]],
  ["keep.log", true, "rule", ["!keep.log", 4]],
  ["vendor", true, "holds_included", ["vendor", 6]],
  ["vendor/app/main", true, "rule", ["!vendor/app/**", 7]],
  ["vendor/other", false, "rule", ["vendor", 6]],
  ["Dockerfile", true, "build_file", ["Dockerfile", 8]],
  [".dockerignore", true, "build_file", null],
  [".git/config", false, "version_control", null],
];

for (const [path, included, reason, rule] of CASES) {
  test(`${path} is ${included ? "in" : "out"}: ${reason}`, async () => {
    const root = plantFiles(newFolder(), FILES);
    expect(await explained(root, path)).toMatchObject({
      exit: 0,
      path,
      included,
      reason,
      rule: rule === null ? null : { pattern: rule[0], line: rule[1] },
    });
  });
}

test("what is explained as in is in the archive, and what is out is not", async () => {
  const root = plantFiles(newFolder(), FILES);
  const archive = join(newFolder(), "context.tar");
  await captureJson(root, ["--archive", archive]);
  const names = new Set(listNames(archive).map((name) => name.replace(/\/$/u, "")));
  for (const [path, included] of CASES)
    if (path !== ".") expect([path, names.has(path)]).toEqual([path, included]);
});

test("a link is in, what lies behind it is not, and nothing follows it", async () => {
  const root = plantFiles(newFolder(), { "real/a": "a" });
  symlinkSync("real", join(root, "link"));
  symlinkSync("/nonexistent", join(root, "dangling"));
  expect(await explained(root, "link")).toMatchObject({ included: true, reason: "no_rule" });
  expect(await explained(root, "dangling")).toMatchObject({ included: true });
  expect(await explained(root, "link/a")).toMatchObject({ included: false, reason: "behind_link" });
});

test("a special file is not in", async () => {
  const root = newFolder();
  Bun.spawnSync(["mkfifo", join(root, "fifo")]);
  expect(await explained(root, "fifo")).toMatchObject({ exit: 0, included: false, reason: "special_file" });
});

test("what does not exist is exit 7, what lies outside is not in", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  expect(await explained(root, "missing")).toMatchObject({ exit: 7, error: { code: "path_not_found" } });
  expect(await explained(root, "/")).toMatchObject({ exit: 0, included: false, reason: "outside_context" });
  expect(await explained(join(root, "none"), "a")).toMatchObject({ exit: 7 });
});

test("an ignored folder is in for a file or a folder below it that is, and for nothing else", async () => {
  const root = plantFiles(newFolder(), {
    ".dockerignore": "docker\nspecial\nempty\nout\n!special/fifo\n!empty/folder\n",
    "docker/deep/app.Dockerfile": "FROM scratch\n",
    "out/a": "a",
  });
  mkdirSync(join(root, "empty/folder"), { recursive: true });
  mkdirSync(join(root, "special"));
  Bun.spawnSync(["mkfifo", join(root, "special/fifo")]);
  const archive = join(newFolder(), "context.tar");
  const dockerfile = ["--dockerfile", join(root, "docker/deep/app.Dockerfile")];
  await captureJson(root, ["--archive", archive, ...dockerfile]);
  const names = listNames(archive);
  for (const [path, included] of [
    ["docker", true],
    ["docker/deep", true],
    ["empty", true],
    ["empty/folder", true],
    ["special", false],
    ["out", false],
  ] as const) {
    expect([path, names.includes(`${path}/`)]).toEqual([path, included]);
    const reason = path === "empty/folder" ? "rule" : included ? "holds_included" : "rule";
    expect(await explained(root, path, ...dockerfile)).toMatchObject({ path, included, reason });
  }
});

test("an ignore file that Docker refuses is exit 5", async () => {
  const root = plantFiles(newFolder(), { ".dockerignore": "ok\n[\n", a: "a" });
  expect(await explained(root, "a")).toMatchObject({ exit: 5, error: { code: "ignore_file_invalid" } });
  expect(await explained(root, "a", "--no-ignore")).toMatchObject({ exit: 0, included: true });
});

test("the ignore file beside the Dockerfile decides, and flags before it", async () => {
  const root = plantFiles(newFolder(), {
    ".dockerignore": "a\n",
    "build/Dockerfile": "FROM scratch\n",
    "build/Dockerfile.dockerignore": "b\n",
    "other.ignore": "c\n",
    a: "a",
    b: "b",
    c: "c",
  });
  const dockerfile = ["--dockerfile", join(root, "build/Dockerfile")];
  expect(await explained(root, "a")).toMatchObject({ included: false });
  expect(await explained(root, "a", ...dockerfile)).toMatchObject({ included: true });
  expect(await explained(root, "b", ...dockerfile)).toMatchObject({ included: false });
  expect(await explained(root, "c", "--ignore-file", join(root, "other.ignore"))).toMatchObject({
    included: false,
  });
});

test("a path is looked for in the context first, and then from the current folder", async () => {
  const base = plantFiles(newFolder(), { "app/.dockerignore": "a\n", "app/a": "a", "app/b": "b" });
  const inApp = async (path: string): Promise<unknown> => {
    const ran = await waybill(["explain", path, "--context", "app", "--json"], { cwd: base });
    const { path: found, included } = JSON.parse(ran.stdout);
    return [found, included];
  };
  expect(await inApp("a")).toEqual(["a", false]);
  expect(await inApp("app/a")).toEqual(["a", false]);
  expect(await inApp(join(base, "app/b"))).toEqual(["b", true]);
});

test("for a person it is one line, without control characters", async () => {
  const root = plantFiles(newFolder(), { ".dockerignore": "a*\n", "a\u001b[31mb": "x" });
  mkdirSync(join(root, "x"));
  const { stdout } = await waybill(["explain", "a\u001b[31mb", "--context", root]);
  expect(stdout).toBe("left out  a [31mb  decided by line 1: a*\n");
});

test.skipIf(!CAN_BE_BOUND)("what one may not look at is told as that, and no fault", async () => {
  const root = plantFiles(newFolder(), { "closed/a": "a", ".dockerignore": "closed\n!closed/b\n" });
  chmodSync(join(root, "closed"), 0);
  const asked = async (path: string): Promise<readonly [number, string]> => {
    const ran = await waybill(["explain", path, "--context", root], { under: BOUND_BY_MODES });
    return [ran.exit, ran.stdout + ran.stderr];
  };
  const [exit, said] = await asked("closed/a");
  expect([exit, said]).toEqual([7, expect.stringContaining("cannot be looked at: permission denied")]);
  // The walk leaves it out in silence as well.
  expect(await asked("closed")).toEqual([0, "left out  closed  decided by line 1: closed\n"]);
  chmodSync(join(root, ".dockerignore"), 0);
  expect(await asked("closed")).toEqual([2, expect.stringContaining("permission denied")]);
});
