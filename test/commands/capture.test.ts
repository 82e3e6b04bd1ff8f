import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson, waybill } from "../context/support/run-capture.ts";
import { BINARY } from "../support/binary.ts";
import { scratchFolders } from "../context/support/scratch.ts";

const newFolder = scratchFolders();

const USAGE: readonly { name: string; args: readonly string[]; code: string }[] = [
  { name: "an unknown flag", args: ["--archve", "x.tar"], code: "unknown_flag" },
  { name: "a flag without its value", args: ["--archive"], code: "flag_without_value" },
  { name: "a repeated flag", args: ["--out", "a", "--out", "b"], code: "flag_repeated" },
  { name: "a second context", args: ["other"], code: "unexpected_argument" },
  { name: "both kinds of ignoring", args: ["--no-ignore", "--ignore-file", "x"], code: "flags_contradict" },
  { name: "an archive of no known kind", args: ["--archive", "x.zip"], code: "invalid_value" },
  { name: "an unknown format", args: ["--format", "xml"], code: "invalid_value" },
  { name: "a budget that is no duration", args: ["--time-budget", "long"], code: "invalid_value" },
  { name: "a flag of --submit alone", args: ["--image-name", "x"], code: "flags_contradict" },
  { name: "--submit without an image", args: ["--submit", "https://h"], code: "flag_missing" },
  {
    name: "--submit without a credential",
    args: ["--submit", "https://h", "--image-name", "x", "--agent-name", "y"],
    code: "credential_missing",
  },
  {
    name: "--submit with two agents",
    args: [
      "--submit",
      "https://h",
      "--image-name",
      "x",
      "--agent-name",
      "y",
      "--agent-id",
      "z",
      "--token-env",
      "T",
    ],
    code: "flags_contradict",
  },
  {
    name: "--submit of an archive that is no .tar.gz",
    args: [
      "--submit",
      "https://h",
      "--image-name",
      "x",
      "--agent-name",
      "y",
      "--token-env",
      "T",
      "--archive",
      "x.tar",
    ],
    code: "flags_contradict",
  },
];

for (const { name, args, code } of USAGE) {
  test(`${name} is refused before anything is read or written`, async () => {
    const root = plantFiles(newFolder(), { a: "a" });
    const { exit, document } = await captureJson(".", args, { cwd: root, env: { T: "long-enough-token" } });
    expect([exit, document.error?.code]).toEqual([code === "credential_missing" ? 4 : 2, code]);
    expect([document.ok, document.exit_code]).toEqual([false, exit]);
    expect(readdirSync(root)).toEqual(["a"]);
  });
}

test("the document begins with its frame and holds every promised member", async () => {
  const root = plantFiles(newFolder(), { "dir/a": "abc", b: "" });
  const ran = await waybill(["capture", root, "--json"]);
  expect(ran.stdout.endsWith("}\n")).toBe(true);
  const document = JSON.parse(ran.stdout);
  expect(Object.keys(document)).toEqual([
    "schema",
    "ok",
    "exit_code",
    "source_fields",
    "fields",
    "matches_commit",
    "matches_commit_detail",
    "digests",
    "digests_detail",
    "context",
    "ref_full",
    "ref_full_detail",
    "ref_kind",
    "tags",
    "pushed",
    "pushed_detail",
    "git",
    "ci",
    "pull_request",
    "health",
    "volatile",
    "warnings",
  ]);
  expect([document.schema, document.ok, document.exit_code]).toEqual(["waybill.capture/v1", true, 0]);
  expect(Object.keys(document.digests)).toEqual(["working_tree_hash", "dir_hash", "git_tree", "tar_sha256"]);
  expect(document.digests.tar_sha256).toBeNull();
  expect(document.context).toEqual({
    files: 2,
    dirs: 1,
    symlinks: 0,
    bytes: 3,
    dockerfile: null,
    ignore_file: null,
    skipped: [],
    displaced: [],
    own_outputs: [],
  });
});

test("two captures of one context are the same document, byte for byte", async () => {
  const root = plantFiles(newFolder(), { "dir/a": "abc", b: "" });
  const first = await waybill(["capture", root, "--json"]);
  expect(await waybill(["capture", root, "--json"])).toEqual(first);
});

test("the context is the current folder when none is named", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const here = await waybill(["capture", "--json"], { cwd: root });
  const named = await waybill(["capture", root, "--json"]);
  expect(here.stdout).toBe(named.stdout);
});

test("a context whose name begins with a dash comes after --", async () => {
  const folder = newFolder();
  plantFiles(join(folder, "-context"), { a: "a" });
  const { exit } = await waybill(["capture", "--json", "--", "-context"], { cwd: folder });
  expect(exit).toBe(0);
});

test("--quiet says nothing but errors", async () => {
  const root = plantFiles(newFolder(), {});
  expect((await waybill(["capture", root])).stderr).toContain("the context holds no file");
  expect((await waybill(["capture", root, "--quiet"])).stderr).toBe("");
});

test("every warning is a refusal under --strict, told once", async () => {
  const root = plantFiles(newFolder(), {});
  const { exit, stderr, document } = await captureJson(root, ["--strict"]);
  expect([exit, document.error?.code]).toEqual([7, "requirement_unknown"]);
  expect(stderr.split("the context holds no file").length).toBe(2);
});

// Bun itself reads such files when it runs the sources; the compiled binary must not.
test.skipIf(BINARY === null)("nothing of the folder where it runs is taken for configuration", async () => {
  const root = plantFiles(newFolder(), {
    ".env": "SOURCE_DATE_EPOCH=1\nGITHUB_ACTIONS=true\n",
    "bunfig.toml": 'preload = ["./evil.ts"]\n',
    "evil.ts": "require('fs').writeFileSync('marker', '')",
    "tsconfig.json": "{ broken",
  });
  const before = readdirSync(root);
  const { exit, document } = await captureJson(".", [], { cwd: root });
  expect([exit, document.ci, readdirSync(root)]).toEqual([0, null, before]);
});
