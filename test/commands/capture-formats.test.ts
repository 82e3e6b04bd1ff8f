import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { plantFiles } from "../context/support/disk-tree.ts";
import { captureJson, environment, waybill } from "../context/support/run-capture.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { PROGRAM } from "../support/binary.ts";
import { git, HAS_GIT, makeRepository, REMOTE, REPO } from "../source/support/repository.ts";

const newFolder = scratchFolders();

const NAMES = [
  "SOURCE_REPO",
  "SOURCE_COMMIT",
  "SOURCE_REF",
  "SOURCE_SUBPATH",
  "SOURCE_DIRTY",
  "WORKING_TREE_HASH",
];

/** What a shell has in its variables after `eval "$(waybill capture …)"`, in a folder of its own. */
function evaluated(root: string, folder: string, shell: string): Record<string, string> {
  const command = PROGRAM.map((word) => `'${word}'`).join(" ");
  const show = NAMES.map((name) => `printf '%s=%s\\0' ${name} "\${${name}-unset}"`).join("; ");
  const script = `eval "$(${command} capture "$1" --format env)"; ${show}`;
  const ran = Bun.spawnSync([shell, "-c", script, shell, root], {
    cwd: folder,
    env: environment(),
    stderr: "ignore",
  });
  expect(ran.exitCode).toBe(0);
  return Object.fromEntries(
    ran.stdout
      .toString()
      .split("\0")
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

const BRANCHES: readonly string[] = [
  "main",
  "$(touch${IFS}x)",
  "`touch${IFS}x`",
  "';touch${IFS}x;'",
  "it's",
  "''",
  '"quoted"',
  "a$HOME",
  "a;b&c|d>e<f",
  "\u{1f680}\u00e9",
  "!!",
  "#x",
  "-n",
  "a=b",
  "a'\"'\"'b",
];

for (const shell of ["sh", "bash"].filter((name) => Bun.which(name) !== null)) {
  for (const branch of BRANCHES) {
    test.skipIf(!HAS_GIT)(`eval in ${shell} takes the branch ${branch} as a name`, () => {
      const root = makeRepository(newFolder(), { remote: REMOTE });
      git(root, "symbolic-ref", "HEAD", `refs/heads/${branch}`);
      git(root, "commit", "-q", "--allow-empty", "-m", "here");
      const folder = newFolder();
      const variables = evaluated(join(root, "app"), folder, shell);
      expect(variables).toEqual({
        SOURCE_REPO: REPO,
        SOURCE_COMMIT: git(root, "rev-parse", "HEAD"),
        SOURCE_REF: branch,
        SOURCE_SUBPATH: "app",
        SOURCE_DIRTY: "false",
        WORKING_TREE_HASH: expect.stringMatching(/^[0-9a-f]{64}$/u),
      });
      expect(existsSync(join(folder, "x"))).toBe(false);
    });
  }
}

test.skipIf(!HAS_GIT)("eval takes a folder's name with line feeds and quotes as a name", () => {
  const name = "a'\n$(touch x)\nSOURCE_REPO='evil";
  const root = makeRepository(newFolder(), { remote: REMOTE, files: { [`${name}/a`]: "a\n" } });
  const folder = newFolder();
  const variables = evaluated(join(root, name), folder, "sh");
  expect([variables["SOURCE_SUBPATH"], variables["SOURCE_REPO"]]).toEqual([name, REPO]);
  expect(existsSync(join(folder, "x"))).toBe(false);
});

test("what is unknown is absent, not empty", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const env = await waybill(["capture", root, "--format", "env"]);
  expect([env.exit, env.stderr]).toEqual([0, ""]);
  expect(env.stdout).toMatch(/^WORKING_TREE_HASH='[0-9a-f]{64}'\n$/u);
  const fields = await waybill(["capture", root, "--format", "fields"]);
  expect(Object.keys(JSON.parse(fields.stdout))).toEqual(["working_tree_hash"]);
});

test.skipIf(!HAS_GIT)(
  "fields are the six of a build record; json is the document; both are one line",
  async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    const { document } = await captureJson(join(root, "app"));
    const fields = await waybill(["capture", join(root, "app"), "--format", "fields"]);
    expect(fields.stdout.endsWith("}\n")).toBe(true);
    expect(JSON.parse(fields.stdout)).toEqual(document.source_fields);
    expect(Object.keys(document.source_fields)).toEqual(NAMES.map((name) => name.toLowerCase()));
    const json = await waybill(["capture", join(root, "app"), "--format", "json"]);
    expect(JSON.parse(json.stdout)).toEqual(document);
    const both = await waybill(["capture", join(root, "app"), "--format", "json", "--json"]);
    expect([both.exit, both.stdout]).toEqual([0, json.stdout]);
  },
);

for (const format of ["env", "fields"]) {
  test(`--format ${format} with --json is a usage error before anything is written`, async () => {
    const root = plantFiles(newFolder(), { a: "a" });
    const archive = join(newFolder(), "context.tar");
    const { exit, document } = await captureJson(root, ["--format", format, "--archive", archive]);
    expect([exit, document.error?.code]).toEqual([2, "flags_contradict"]);
    expect(existsSync(archive)).toBe(false);
  });
}

test("an unknown format is a usage error that names the known ones", async () => {
  const ran = await waybill(["capture", newFolder(), "--format", "yaml"]);
  expect([ran.exit, ran.stdout]).toEqual([2, ""]);
  expect(ran.stderr).toContain(
    "wanted one of json, fields, env, github, build-info, labels, buildx, statement",
  );
});

test("--json to a file is the JSON document, as on standard output", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const out = join(newFolder(), "out.json");
  const { document } = await captureJson(root, ["--out", out]);
  expect(JSON.parse(readFileSync(out, "utf8"))).toEqual(document);
});

test.skipIf(!HAS_GIT)(
  "the text for a person holds no control character of a branch, and every fact or its reason",
  async () => {
    const root = makeRepository(newFolder());
    git(root, "symbolic-ref", "HEAD", "refs/heads/a\u202eb");
    git(root, "commit", "-q", "--allow-empty", "-m", "here");
    const { exit, stdout, stderr } = await waybill(["capture", root]);
    expect([exit, stderr]).toEqual([0, ""]);
    expect(stdout).not.toContain("\u202e");
    expect(stdout).toContain(
      "repo            \u2013 (no_remote): name where the code comes from: git remote add",
    );
    expect(stdout).toContain("dirty           false\n");
    expect(stdout).toContain("subpath         \u2013 (at_top_level)\n");
  },
);
