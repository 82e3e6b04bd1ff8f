import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { captureJson, waybill } from "../context/support/run-capture.ts";
import { placeIn, plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { commitAll, git, HAS_GIT, makeRepository, REMOTE, REPO } from "../source/support/repository.ts";

const newFolder = scratchFolders();

async function printed(root: string, format: string, ...args: readonly string[]): Promise<string> {
  const ran = await waybill(["capture", root, "--format", format, ...args], {
    env: { SOURCE_DATE_EPOCH: "1700000000" },
  });
  expect([ran.exit, ran.stderr]).toEqual([0, ""]);
  return ran.stdout;
}

/** Reads the file format of the runner as its documentation says: a name, a delimiter, lines up to it. */
function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split("\n");
  while (lines.length > 1) {
    const [, name = "", delimiter = ""] = /^([^<=]+)<<(.+)$/u.exec(lines.shift() ?? "") ?? [];
    expect(name).not.toBe("");
    const end = lines.indexOf(delimiter);
    outputs[name] = lines.splice(0, end).join("\n");
    lines.shift();
  }
  return outputs;
}

test.skipIf(!HAS_GIT)("github: what a runner reads from the file is what was captured", async () => {
  const name = "a\nsource_repo=evil\nEOF\n";
  const root = makeRepository(newFolder(), { remote: REMOTE, files: { [`${name}/a`]: "a\n" } });
  const text = await printed(join(root, name), "github");
  const { document } = await captureJson(join(root, name));
  expect(readOutputs(text)).toEqual({
    source_repo: REPO,
    source_commit: git(root, "rev-parse", "HEAD"),
    source_ref: "main",
    source_subpath: name,
    source_dirty: "false",
    working_tree_hash: document.digests["working_tree_hash"] ?? "",
    git_tree: document.digests["git_tree"] ?? "",
    dir_hash: document.digests["dir_hash"] ?? "",
    matches_commit: "true",
    ref_full: "refs/heads/main",
  });
  // A delimiter that could be foreseen could be put into a name.
  expect(await printed(join(root, name), "github")).not.toBe(text);
});

test.skipIf(!HAS_GIT)("build-info: the original's names, and the author only when asked for", async () => {
  const root = makeRepository(newFolder(), { remote: REMOTE });
  const { document } = await captureJson(join(root, "app"));
  const plain = {
    repo: REPO,
    commit_hash: git(root, "rev-parse", "HEAD"),
    branch_name: "main",
    subpath: "app",
    working_tree_hash: document.digests["working_tree_hash"],
    dirty: false,
    build_timestamp: "2023-11-14T22:13:20.000+00:00",
  };
  expect(JSON.parse(await printed(join(root, "app"), "build-info"))).toEqual(plain);
  const named = await printed(join(root, "app"), "build-info", "--with-author");
  expect(JSON.parse(named)).toEqual({
    ...plain,
    author_name: "A U Thor",
    author_email: "author@example.com",
  });
  const outside = plantFiles(newFolder(), { a: "a" });
  expect(Object.keys(JSON.parse(await printed(outside, "build-info", "--with-author")))).toEqual([
    "working_tree_hash",
    "build_timestamp",
  ]);
});

test.skipIf(!HAS_GIT)(
  "labels: a commit that is not what ships is said to be dirty, and no version",
  async () => {
    const root = makeRepository(newFolder(), { remote: REMOTE });
    const commit = git(root, "rev-parse", "HEAD");
    git(root, "tag", "v1.9");
    git(root, "tag", "v1.10");
    expect(await printed(root, "labels")).toBe(
      `org.opencontainers.image.source=https://${REPO}\n` +
        `org.opencontainers.image.revision=${commit}\n` +
        "org.opencontainers.image.version=v1.10\n" +
        "org.opencontainers.image.created=2023-11-14T22:13:20Z\n",
    );
    expect(await printed(join(root, "app"), "buildx")).toBe(
      `vcs:source=https://${REPO}\nvcs:revision=${commit}\nvcs:localdir:context=app\n`,
    );
    plantFiles(root, { new: "x" });
    const dirty = await printed(root, "labels");
    expect(dirty).toContain(`revision=${commit}-dirty\n`);
    expect(dirty).not.toContain("version");
    // Changed, but left out by the ignore file: what ships is the commit.
    plantFiles(root, { ".dockerignore": "docs\nnew\n" });
    commitAll(root, "ignore");
    plantFiles(root, { "docs/readme.md": "changed" });
    expect(await printed(root, "buildx")).toBe(
      `vcs:source=https://${REPO}\nvcs:revision=${git(root, "rev-parse", "HEAD")}\nvcs:localdir:context=.\n`,
    );
  },
);

test.skipIf(!HAS_GIT)("labels: a remote on a port of its own gives no address to guess", async () => {
  const root = makeRepository(newFolder(), { remote: "ssh://git@git.example.com:2222/team/app" });
  expect(await printed(root, "labels")).not.toContain("source=");
});

test.skipIf(!HAS_GIT)(
  "buildx: a folder with a line break in its name is refused, and no second line",
  async () => {
    const name = "a\nvcs:revision=evil";
    const root = makeRepository(newFolder(), { remote: REMOTE, files: { [`${name}/a`]: "a\n" } });
    const ran = await waybill(["capture", join(root, name), "--format", "buildx"]);
    expect([ran.exit, ran.stdout]).toEqual([2, ""]);
  },
);

test("statement: in-toto, about the context and its archive", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const archive = join(newFolder(), "context.tar");
  const statement = JSON.parse(await printed(root, "statement", "--archive", archive));
  const { document } = await captureJson(root, ["--archive", archive], {
    env: { SOURCE_DATE_EPOCH: "1700000000" },
  });
  const tar = new Bun.CryptoHasher("sha256").update(readFileSync(archive)).digest("hex");
  expect(statement).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      { name: "context.tar", digest: { sha256: tar } },
      {
        name: "context",
        digest: {
          working_tree_hash: document.digests["working_tree_hash"],
          dirHash: document.digests["dir_hash"],
        },
      },
    ],
    predicateType: "https://waybill.invalid/attestation/capture/v1",
  });
  const { schema: _schema, ok: _ok, exit_code: _exit, ...rest } = document;
  expect(statement.predicate).toEqual(rest);
});

test("statement: without a digest there is nothing to state", async () => {
  const root = plantFiles(newFolder(), { ".dockerignore": "[\n", a: "a" });
  const ran = await waybill(["capture", root, "--format", "statement"]);
  expect([ran.exit, ran.stdout]).toEqual([7, ""]);
});

test("an archive whose digest is not asked for has the same bytes, and the same digests of files", async () => {
  const folder = newFolder();
  const root = plantFiles(newFolder(), {
    "a/long": "x".repeat(3_000_000),
    b: "y",
    [`c/${"n".repeat(150)}`]: "z",
  });
  const [all, some] = [join(folder, "all.tar"), join(folder, "some.tar")];
  const whole = (await captureJson(root, ["--archive", all])).document.digests;
  const part = (await captureJson(root, ["--archive", some, "--digest", "working_tree_hash"])).document
    .digests;
  expect(readFileSync(some).equals(readFileSync(all))).toBe(true);
  expect([part["working_tree_hash"], part["tar_sha256"]]).toEqual([whole["working_tree_hash"] ?? "", null]);
});

test("--digest computes what is asked for, and says that the rest was not", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const { document: all } = await captureJson(root);
  const { document } = await captureJson(root, ["--digest", "dir_hash", "--digest", "tar_sha256"]);
  expect(document.digests).toMatchObject({
    working_tree_hash: null,
    dir_hash: all.digests["dir_hash"] ?? "",
    git_tree: null,
  });
  expect(document.digests["tar_sha256"]).toMatch(/^[0-9a-f]{64}$/u);
  expect(document.fields["working_tree_hash"]).toEqual({ value: null, source: "none", reason: "not_asked" });
  expect(document.source_fields).toEqual({});
  const archive = join(newFolder(), "context.tar");
  const written = await captureJson(root, ["--archive", archive]);
  expect(written.document.digests["tar_sha256"]).toBe(document.digests["tar_sha256"] ?? "");
  const unknown = await captureJson(root, ["--digest", "sha1"]);
  expect([unknown.exit, unknown.document.error?.code]).toEqual([2, "invalid_value"]);
});

test.skipIf(!HAS_GIT)(
  "--manifest names every file with its bytes, also where a name is no text",
  async () => {
    const root = makeRepository(newFolder(), { files: { "b/c": "abc", a: "" } });
    writeFileSync(placeIn(root, Buffer.from("\u00ff", "latin1")), "x");
    symlinkSync("b/c", join(root, "link"));
    const manifest = join(newFolder(), "context.jsonl");
    const { exit } = await captureJson(root, ["--manifest", manifest]);
    const lines = readFileSync(manifest, "utf8").trimEnd().split("\n");
    const sha = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");
    const blob = (text: string): string =>
      new Bun.CryptoHasher("sha1").update(`blob ${text.length}\0${text}`).digest("hex");
    const entry = (path: object, mode: string, text: string): object => ({
      ...path,
      mode,
      size: text.length,
      sha256: sha(text),
      git_blob: blob(text),
    });
    expect([exit, lines.map((line) => JSON.parse(line))]).toEqual([
      0,
      [
        entry({ path: "a" }, "100644", ""),
        entry({ path: "b/c" }, "100644", "abc"),
        entry({ path: "link" }, "120000", "b/c"),
        entry({ path: "\ufffd", path_base64: "/w==" }, "100644", "x"),
      ],
    ]);
  },
);

test("--manifest inside the context is no part of it", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  const before = (await captureJson(root)).document.digests;
  const first = await captureJson(root, ["--manifest", join(root, "list.jsonl")]);
  expect(first.document.digests).toEqual(before);
  expect(readFileSync(join(root, "list.jsonl"), "utf8")).not.toContain("list.jsonl");
});

test("a context that cannot be read leaves no manifest, and the run fails", async () => {
  const root = plantFiles(newFolder(), { ".dockerignore": "[\n", a: "a" });
  const manifest = join(newFolder(), "list.jsonl");
  const { exit, document } = await captureJson(root, ["--manifest", manifest]);
  expect([exit, document.error?.code, existsSync(manifest)]).toEqual([1, "output_not_written", false]);
});

test("two outputs in one file are a usage error before anything is written", async () => {
  const root = plantFiles(newFolder(), { a: "a" });
  for (const args of [
    ["--manifest", "x.tar", "--archive", "./x.tar"],
    ["--manifest", "x", "--out", "x"],
  ]) {
    const { exit, document } = await captureJson(root, args, { cwd: root });
    expect([exit, document.error?.code, readdirSync(root)]).toEqual([2, "flags_contradict", ["a"]]);
  }
});
