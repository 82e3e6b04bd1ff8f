import { expect, test } from "bun:test";
import { chmodSync, linkSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { captureJson, waybill } from "../context/support/run-capture.ts";
import { placeIn, plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { HAS_GNU_TAR, succeed } from "../context/support/tar-readers.ts";
import { addSubmodule, commitAll, git, HAS_GIT, makeRepository } from "../source/support/repository.ts";

const newFolder = scratchFolders();

type Diff = {
  readonly exit: number;
  readonly checked: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly differences: readonly {
    readonly path: string;
    readonly how: string;
    readonly path_base64?: string;
  }[];
  readonly digests: readonly { readonly name: string; readonly equal: boolean }[];
  readonly fields: readonly { readonly name: string }[];
  readonly not_compared: readonly { readonly path: string }[];
  readonly error?: { readonly code: string };
};

async function diff(a: string, b: string, args: readonly string[] = [], cwd = "/"): Promise<Diff> {
  const ran = await waybill(["diff", a, b, ...args, "--json"], { cwd });
  const document = JSON.parse(ran.stdout);
  expect([document.schema, document.exit_code]).toEqual(["waybill.diff/v1", ran.exit]);
  return { exit: ran.exit, ...document };
}

const named = ({ differences }: Diff): string[] => differences.map(({ path, how }) => `${how} ${path}`);

const FILES = { Dockerfile: "FROM scratch\n", "app/main": "main\n", "app/run": "run\n", "docs/a": "a\n" };

/** One change of each kind. */
function change(root: string): string {
  plantFiles(root, { "app/main": "Main\n", "app/new": "x" });
  chmodSync(join(root, "app/run"), 0o755);
  rmSync(join(root, "docs/a"));
  rmSync(join(root, "Dockerfile"));
  symlinkSync("app/main", join(root, "Dockerfile"));
  return root;
}
const CHANGES = ["type Dockerfile", "modified app/main", "added app/new", "mode app/run", "removed docs/a"];

type Side = { readonly before: string; readonly after: string; readonly cwd: string };

/** The same folder before and after the changes, in every form that can be compared. */
async function sidesOf(): Promise<Readonly<Record<string, Side>>> {
  const root = makeRepository(newFolder(), { files: FILES });
  const out = newFolder();
  const write = async (when: string): Promise<void> => {
    const files = (ending: string): string => join(out, `${when}${ending}`);
    for (const ending of [".tar", ".tar.gz", ".tar.zst"]) {
      await captureJson(root, ["--archive", files(ending), "--manifest", files(".jsonl")]);
    }
    succeed(["cp", "-a", root, files("")]);
    rmSync(files("/.git"), { recursive: true });
  };
  await write("before");
  const first = git(root, "rev-parse", "HEAD");
  change(root);
  await write("after");
  const second = commitAll(root, "second");
  const in_out = (ending: string): Side => ({
    before: join(out, `before${ending}`),
    after: join(out, `after${ending}`),
    cwd: root,
  });
  return {
    folder: in_out(""),
    tar: in_out(".tar"),
    gzip: in_out(".tar.gz"),
    zstd: in_out(".tar.zst"),
    manifest: in_out(".jsonl"),
    commit: { before: `git:${first}`, after: `${second}:`, cwd: root },
  };
}

test.skipIf(!HAS_GIT)(
  "every form of a tree is equal to every other, and differs by the same files",
  async () => {
    const sides = await sidesOf();
    for (const [kind, a] of Object.entries(sides)) {
      for (const [other, b] of Object.entries(sides)) {
        const equal = await diff(a.before, b.before, [], a.cwd);
        expect([kind, other, equal.exit, equal.checked, named(equal)]).toEqual([kind, other, 0, 4, []]);
        const found = await diff(a.before, b.after, [], a.cwd);
        expect([kind, other, found.exit, found.checked, named(found)]).toEqual([kind, other, 8, 5, CHANGES]);
        expect(found.error?.code).toBe("trees_differ");
      }
    }
  },
  120_000,
);

test.skipIf(!HAS_GIT)(
  "captures are compared by their digests, and by their files where git has the tree",
  async () => {
    const root = makeRepository(newFolder(), { files: FILES });
    const out = newFolder();
    const [before, after] = [join(out, "before.json"), join(out, "after.json")];
    const archive = join(out, "before.tar");
    await waybill(["capture", root, "--json", "--out", before, "--archive", archive]);
    for (const other of [root, archive, before]) {
      const equal = await diff(before, other, [], root);
      expect([other, equal.exit, equal.differences, equal.digests.every(({ equal }) => equal)]).toEqual([
        other,
        0,
        [],
        true,
      ]);
      expect(equal.checked).toBeGreaterThan(2);
    }
    expect((await diff("git:HEAD", before, [], root)).digests).toMatchObject([
      { name: "git_tree", equal: true },
    ]);
    change(root);
    const found = await diff(before, root, [], root);
    expect([found.exit, named(found)]).toEqual([8, CHANGES]);
    const swapped = await diff(root, before, [], root);
    expect(named(swapped)).toEqual(
      CHANGES.map((line) =>
        line.replace(/^added|^removed/u, (how) => (how === "added" ? "removed" : "added")),
      ),
    );
    await waybill(["capture", root, "--json", "--out", after]);
    const captures = await diff(before, after, [], "/tmp");
    expect([captures.exit, captures.checked, captures.differences]).toEqual([8, 3, []]);
    expect(captures.fields.map(({ name }) => name)).toEqual(["source_dirty"]);
  },
);

test.skipIf(!HAS_GIT)(
  "what a folder's ignore file leaves out of it is left out of a commit too",
  async () => {
    const root = makeRepository(newFolder(), {
      files: { ...FILES, ".dockerignore": "docs\n.dockerignore\nDockerfile\n" },
    });
    expect((await diff("HEAD", ".", [], root)).exit).toBe(0);
    const all = await diff("HEAD", ".", ["--no-ignore"], root);
    expect([all.exit, all.checked]).toEqual([0, 5]);
    expect(named(await diff("HEAD~0:app", "HEAD:docs", [], root))).toEqual([
      "added a",
      "removed main",
      "removed run",
    ]);
  },
);

test.skipIf(!HAS_GIT)(
  "the Dockerfile that travels with an archive is no difference to its folder",
  async () => {
    const root = makeRepository(newFolder(), { files: { "build/app.Dockerfile": "FROM scratch\n", a: "a" } });
    const archive = join(newFolder(), "context.tar");
    const dockerfile = ["--dockerfile", join(root, "build/app.Dockerfile")];
    await captureJson(root, ["--archive", archive, ...dockerfile]);
    expect((await diff(archive, root, dockerfile)).exit).toBe(0);
    expect(named(await diff(root, archive))).toEqual(["added Dockerfile"]);
  },
);

test.skipIf(!HAS_GIT)(
  "what an ignore file leaves out of a capture, an archive or a manifest is left out of their commit too",
  async () => {
    const files = { ...FILES, ".dockerignore": "docs\n", "docs/b": "b\n" };
    const root = makeRepository(newFolder(), { files });
    const out = newFolder();
    const written = ["capture.json", "context.tar.gz", "list.jsonl"].map((name) => join(out, name));
    const [capture = "", archive = "", manifest = ""] = written;
    const capturing = ["capture", root, "--json", "--out", capture, "--archive", archive];
    await waybill([...capturing, "--manifest", manifest]);
    for (const one of written) {
      const equal = await diff(one, "git:HEAD", [], root);
      expect([one, equal.exit, named(equal)]).toEqual([one, 0, []]);
      expect([one, (await diff("HEAD:", one, [], root)).exit]).toEqual([one, 0]);
      const all = await diff(one, "git:HEAD", ["--no-ignore"], root);
      expect([one, all.exit, all.counts["added"] ?? null]).toEqual([one, 8, one === capture ? null : 2]);
    }
    plantFiles(root, { "app/main": "Main\n", "docs/a": "A\n" });
    commitAll(root, "second");
    for (const one of written) {
      expect([one, named(await diff(one, "git:HEAD", [], root))]).toEqual([one, ["modified app/main"]]);
    }
    await waybill(["capture", root, "--json", "--out", join(out, "second.json")]);
    expect(named(await diff(capture, join(out, "second.json"), [], root))).toEqual(["modified app/main"]);
  },
);

test.skipIf(!HAS_GIT)("what a manifest lists is in, whatever an ignore file in it says", async () => {
  const files = { ...FILES, ".dockerignore": "docs\n" };
  const root = makeRepository(newFolder(), { files });
  const manifest = join(newFolder(), "list.jsonl");
  await captureJson(root, ["--no-ignore", "--manifest", manifest]);
  expect((await diff(manifest, "git:HEAD", [], root)).exit).toBe(0);
});

test.skipIf(!HAS_GIT)(
  "what gave way in an archive to another Dockerfile is named and not compared",
  async () => {
    const root = makeRepository(newFolder(), { files: { ...FILES, "docker/prod": "FROM prod\n" } });
    const out = newFolder();
    const [capture, archive] = [join(out, "capture.json"), join(out, "context.tar")];
    const dockerfile = ["--dockerfile", join(root, "docker/prod")];
    await waybill(["capture", root, "--json", "--out", capture, "--archive", archive, ...dockerfile]);
    const folder = await diff(archive, root, dockerfile);
    expect([folder.exit, folder.not_compared]).toEqual([0, [{ path: "Dockerfile" }]]);
    const own = await diff(capture, archive);
    expect([own.exit, own.digests]).toMatchObject([0, [{ name: "tar_sha256", equal: true }]]);
    const source = await waybill(["verify", "source", archive, "--capture", capture, "--json"]);
    expect(source.exit).toBe(0);
    expect(JSON.parse(source.stdout)).toMatchObject({
      checked: 1,
      not_compared: ["working_tree_hash", "git_tree", "dir_hash"],
    });
    await waybill(["capture", root, "--json", "--out", capture, ...dockerfile]);
    const untold = await waybill(["verify", "source", archive, "--capture", capture]);
    expect([untold.exit, untold.stderr]).toEqual([7, expect.stringContaining("capture with --archive")]);
  },
);

test.skipIf(!HAS_GIT)("of a submodule a commit knows no files: it is named and not compared", async () => {
  const root = makeRepository(newFolder());
  addSubmodule(root, makeRepository(newFolder(), { files: { x: "x" } }), "sub");
  const found = await diff("HEAD", ".", [], root);
  expect([found.exit, found.not_compared]).toEqual([0, [{ path: "sub" }]]);
});

test.skipIf(!HAS_GNU_TAR)(
  "an archive by GNU tar of the same files is equal, whatever its headers say",
  async () => {
    const root = plantFiles(newFolder(), { ...FILES, [`${"long/".repeat(30)}name`]: "x" });
    symlinkSync("x".repeat(150), join(root, "link"));
    // Two names of one file: the second is a hard link in the archive, without content.
    linkSync(join(root, "app/run"), join(root, "app/same"));
    for (const format of ["gnu", "pax", "ustar", "v7"]) {
      const archive = join(newFolder(), "foreign.tar");
      if (format === "ustar") rmSync(join(root, "link"));
      if (format === "v7") rmSync(join(root, "long"), { recursive: true });
      succeed(["tar", `--format=${format}`, "-cf", archive, "-C", root, "."]);
      expect([format, (await diff(archive, root)).exit]).toEqual([format, 0]);
    }
  },
);

test.skipIf(!HAS_GNU_TAR)("a sparse archive is refused, not misread", async () => {
  const root = newFolder();
  const archive = join(newFolder(), "sparse.tar");
  writeFileSync(join(root, "holes"), "x");
  truncateSync(join(root, "holes"), 1_000_000);
  for (const format of ["gnu", "pax"]) {
    succeed(["tar", `--format=${format}`, "--sparse", "-cf", archive, "-C", root, "."]);
    const found = await diff(archive, root);
    expect([format, found.exit, found.error?.code]).toEqual([format, 6, "archive_malformed"]);
  }
});

test("names that are no text are told by their bytes", async () => {
  const [a, b] = [newFolder(), newFolder()];
  writeFileSync(placeIn(b, Buffer.from("\u00ff", "latin1")), "x");
  const { differences } = await diff(a, b);
  expect(differences).toMatchObject([{ path: "\ufffd", path_base64: "/w==", how: "added" }]);
});

test("nothing on either side is nothing checked", async () => {
  const found = await diff(newFolder(), newFolder());
  expect([found.exit, found.error?.code]).toEqual([7, "nothing_checked"]);
});

const REFUSED: readonly [string, (folder: string) => readonly [string, string], number, string][] = [
  ["what does not exist", (folder) => [folder, join(folder, "missing")], 7, "path_not_found"],
  ["a revision that is none", (folder) => [folder, "git:nowhere"], 7, "path_not_found"],
  ["a revision that looks like a flag", (folder) => [folder, "git:--help"], 7, "path_not_found"],
  ["a file that is none of these", (folder) => [folder, join(folder, "text")], 2, "input_invalid"],
  ["another JSON document", (folder) => [folder, join(folder, "other.json")], 2, "input_invalid"],
  ["a manifest with a wrong line", (folder) => [folder, join(folder, "bad.jsonl")], 2, "input_invalid"],
  ["a manifest that is no UTF-8", (folder) => [folder, join(folder, "latin1.jsonl")], 2, "input_invalid"],
  ["a broken archive", (folder) => [folder, join(folder, "bad.tar")], 6, "archive_malformed"],
  [
    "a folder whose ignore file is refused",
    (folder) => [folder, join(folder, "ignored")],
    5,
    "ignore_file_invalid",
  ],
];

const LINE = JSON.stringify({ path: "a", mode: "100644", size: 1, sha256: "0".repeat(64), git_blob: null });

for (const [name, operands, exit, code] of REFUSED) {
  test(`${name} is refused`, async () => {
    const folder = plantFiles(newFolder(), {
      text: "text",
      "other.json": "{}",
      "bad.jsonl": '{"path":"a","mode":"777"}\n',
      "bad.tar": "x".repeat(1024),
      "ignored/.dockerignore": "[\n",
    });
    writeFileSync(join(folder, "latin1.jsonl"), Buffer.from(LINE.replace('"a"', '"\u00ff"'), "latin1"));
    const [a, b] = operands(folder);
    const found = await diff(a, b, [], folder);
    expect([found.exit, found.error?.code]).toEqual([exit, code]);
  });
}

test.skipIf(!HAS_GIT)(
  "a manifest from outside of a work tree has nothing in common with a commit",
  async () => {
    const root = makeRepository(newFolder(), { files: FILES });
    const manifest = join(newFolder(), "list.jsonl");
    await captureJson(plantFiles(newFolder(), FILES), ["--manifest", manifest]);
    const found = await diff("HEAD", manifest, [], root);
    expect([found.exit, found.error?.code]).toEqual([7, "nothing_checked"]);
    expect((await diff(manifest, root, [], root)).exit).toBe(0);
  },
);

test("for a person each file is a line", async () => {
  const [a, b] = [plantFiles(newFolder(), FILES), change(plantFiles(newFolder(), FILES))];
  const ran = await waybill(["diff", a, b, "--quiet"]);
  expect([ran.exit, ran.stdout.split("\n").map((line) => line.replace(/ +/u, " "))]).toEqual([
    8,
    [...CHANGES, ""],
  ]);
  expect((await waybill(["diff", a, a])).stdout).toBe("equal: 4 compared\n");
});
