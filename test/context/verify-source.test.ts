import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { jsonOf, runProgram, runWaybill, type Finished } from "../support/binary.ts";
import { git, HAS_GIT } from "../source/support/repository.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary.ts";

/** A repository with a build context, its capture and its archives, all outside of it. */
async function captured(
  archives: readonly string[] = ["context.tar"],
  ...flags: readonly string[]
): Promise<TemporaryFolder> {
  const folder = temporaryFolder();
  const repo = folder.at("repo");
  mkdirSync(folder.at("repo", "src"), { recursive: true });
  writeFileSync(folder.at("repo", "Dockerfile"), "FROM scratch\n");
  writeFileSync(folder.at("repo", ".dockerignore"), "*.log\n");
  writeFileSync(folder.at("repo", "src", "größe.ts"), "export const size = 1;\n");
  writeFileSync(folder.at("repo", "src", "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("src/run.sh", folder.at("repo", "run"));
  git(repo, "init", "-q", "-b", "main");
  git(repo, "add", ".");
  git(repo, "commit", "-q", "-m", "first");
  for (const name of archives) {
    const out = ["--archive", name, "--json", "--out", "capture.json"];
    const ran = await runWaybill(["capture", "repo", ...out, ...flags], { cwd: folder.path });
    if (ran.code !== 0) throw new Error(ran.stderr);
  }
  return folder;
}

async function verify(
  folder: TemporaryFolder,
  source: string,
  ...flags: readonly string[]
): Promise<Finished> {
  return runWaybill(["verify", "source", source, "--capture", "capture.json", "--json", ...flags], {
    cwd: folder.path,
  });
}

type Report = {
  checked: number;
  accepted: { digest: string }[];
  refusals: { code: string; message: string }[];
  not_compared: string[];
  counts: string[];
  files: Record<string, string[]> | null;
  commit: string | null;
  error?: { code: string; message: string };
};

function reportOf(ran: Finished): Report {
  return jsonOf(ran) as unknown as Report;
}

const TREE = ["working_tree_hash", "git_tree", "dir_hash"];

describe.skipIf(!HAS_GIT)("a source", () => {
  test("that is the captured folder or a clone of it is equal", async () => {
    using folder = await captured();
    git(folder.path, "clone", "-q", "repo", "clone");
    rmSync(folder.at("clone", ".git"), { recursive: true, force: true });
    git(folder.path, "clone", "-q", "repo", "fresh");
    for (const source of ["repo", "clone", "fresh"]) {
      const ran = await verify(folder, source);
      expect(ran.code).toBe(0);
      expect(reportOf(ran)).toMatchObject({ checked: 3, refusals: [], not_compared: ["tar_sha256"] });
      expect(reportOf(ran).accepted.map(({ digest }) => digest)).toEqual(TREE);
    }
  });

  test("that is one of the archives is equal, its own digest included", async () => {
    const archives = ["context.tar", "context.tar.gz", "context.tar.zst"];
    using folder = await captured(archives);
    for (const source of archives) {
      const ran = await verify(folder, source);
      expect([source, ran.code, reportOf(ran).checked]).toEqual([source, 0, 4]);
    }
  });

  test.skipIf(Bun.which("tar") === null)(
    "that another archiver packed has the same files, and says what differs",
    async () => {
      using folder = await captured();
      for (const format of ["ustar", "pax", "gnu"]) {
        const words = [
          "tar",
          `--format=${format}`,
          "--exclude=.git",
          "-C",
          "repo",
          "-czf",
          "own.tar.gz",
          ".",
        ];
        expect((await runProgram(words, { cwd: folder.path })).code).toBe(0);
        const report = reportOf(await verify(folder, "own.tar.gz"));
        expect(report.accepted.map(({ digest }) => digest)).toEqual(TREE);
        expect(report.refusals.map(({ message }) => message.split(" ")[0])).toEqual(["tar_sha256"]);
      }
      git(folder.at("repo"), "archive", "-o", "../git.tar", "HEAD");
      expect(reportOf(await verify(folder, "git.tar")).accepted.map(({ digest }) => digest)).toEqual(TREE);
    },
  );

  test("that was changed differs, and in a clone at the commit the files are named", async () => {
    using folder = await captured();
    writeFileSync(folder.at("repo", "src", "größe.ts"), "export const size = 2;\n");
    writeFileSync(folder.at("repo", "new"), "");
    writeFileSync(folder.at("repo", "ignored.log"), "");
    chmodSync(folder.at("repo", "Dockerfile"), 0o755);
    rmSync(folder.at("repo", "run"));
    const ran = await verify(folder, "repo");
    const report = reportOf(ran);
    expect([ran.code, report.error?.code]).toEqual([6, "source_mismatch"]);
    expect(report.files).toEqual({
      modified: ["src/größe.ts"],
      mode_only: ["Dockerfile"],
      added: ["new"],
      missing: ["run"],
    });
    expect(report.counts).toEqual(["files 5, captured 4", "symlinks 0, captured 1"]);
    expect(report.error?.message).toContain(
      'modified "src/größe.ts"; mode only "Dockerfile"; added "new"; missing "run"',
    );
  });

  test("with a submodule tells of its own files, and of the submodule as one thing", async () => {
    using folder = await captured([]);
    mkdirSync(folder.at("lib"));
    writeFileSync(folder.at("lib", "a"), "a");
    git(folder.at("lib"), "init", "-q", "-b", "main");
    git(folder.at("lib"), "add", ".");
    git(folder.at("lib"), "commit", "-q", "-m", "lib");
    const repo = folder.at("repo");
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", folder.at("lib"), "lib");
    git(repo, "commit", "-q", "-m", "second");
    await runWaybill(["capture", "repo", "--json", "--out", "capture.json"], { cwd: folder.path });
    writeFileSync(folder.at("repo", "Dockerfile"), "FROM busybox\n");
    const none = { mode_only: [], added: [], missing: [] };
    expect(reportOf(await verify(folder, "repo")).files).toEqual({ ...none, modified: ["Dockerfile"] });
    writeFileSync(folder.at("repo", "lib", "a"), "b");
    expect(reportOf(await verify(folder, "repo")).files).toEqual({
      ...none,
      modified: ["Dockerfile", "lib"],
    });
  });

  test("that is a clone at another commit says so", async () => {
    using folder = await captured();
    writeFileSync(folder.at("repo", "more"), "");
    git(folder.at("repo"), "add", ".");
    git(folder.at("repo"), "commit", "-q", "-m", "second");
    const ran = await verify(folder, "repo");
    expect(ran.code).toBe(6);
    expect(reportOf(ran).error?.message).toContain("the clone is at commit");
  });

  test("with a Dockerfile of another name is equal as a folder and as an archive", async () => {
    using folder = await captured();
    mkdirSync(folder.at("repo", "docker"));
    writeFileSync(folder.at("repo", "docker", "prod"), "FROM busybox\n");
    rmSync(folder.at("repo", "Dockerfile"));
    const flags = [
      "--dockerfile",
      "repo/docker/prod",
      "--archive",
      "context.tar",
      "--json",
      "--out",
      "capture.json",
    ];
    await runWaybill(["capture", "repo", ...flags], { cwd: folder.path });
    expect((await verify(folder, "repo")).code).toBe(0);
    expect((await verify(folder, "context.tar")).code).toBe(0);
  });

  test("without the ignore file that was not used either is equal", async () => {
    using folder = await captured(["context.tar"], "--no-ignore");
    expect((await verify(folder, "repo")).code).toBe(0);
  });

  test("that holds what the capturing run wrote is equal without it, which is told", async () => {
    using folder = await captured();
    const args = ["capture", ".", "--archive", "context.tar", "--json", "--out", "capture.json"];
    expect((await runWaybill(args, { cwd: folder.at("repo") })).code).toBe(0);
    const ran = await runWaybill(["verify", "source", ".", "--capture", "capture.json"], {
      cwd: folder.at("repo"),
    });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('not compared: "context.tar"');
  });

  test("against a capture without a digest of its kind proves nothing: 7", async () => {
    using folder = await captured();
    const document = JSON.parse(readFileSync(folder.at("capture.json"), "utf8")) as {
      digests: Record<string, unknown>;
    };
    for (const digests of [{}, { tar_sha256: document.digests["tar_sha256"] }]) {
      writeFileSync(folder.at("capture.json"), JSON.stringify({ ...document, digests }));
      const ran = await verify(folder, "repo");
      expect([ran.code, reportOf(ran).error?.code, reportOf(ran).checked]).toEqual([7, "nothing_checked", 0]);
    }
  });

  const wrong: [string, (folder: TemporaryFolder) => string, number, string][] = [
    ["that is missing", () => "none", 7, "path_not_found"],
    ["that is a file of no archive's name", () => "capture.json", 2, "invalid_value"],
    [
      "that is cut short",
      (folder) => spoiled(folder, "context.tar", (bytes) => bytes.subarray(0, 2_000)),
      6,
      "archive_malformed",
    ],
    [
      "that is cut short inside its compression",
      (folder) => spoiled(folder, "context.tar.gz", (bytes) => bytes.subarray(0, bytes.length - 9)),
      6,
      "archive_malformed",
    ],
    [
      "that is cut short inside zstd",
      (folder) => spoiled(folder, "context.tar.zst", (bytes) => bytes.subarray(0, bytes.length - 9)),
      6,
      "archive_malformed",
    ],
    [
      "that has its end cut off",
      (folder) =>
        spoiled(folder, "context.tar", (bytes) => bytes.subarray(0, bytes.lastIndexOf("ustar") + 255)),
      6,
      "archive_malformed",
    ],
    [
      "with something after its end",
      (folder) =>
        spoiled(folder, "context.tar", (bytes) => Buffer.concat([bytes, Buffer.from("x".repeat(512))])),
      6,
      "archive_malformed",
    ],
    [
      "with a changed header",
      (folder) => spoiled(folder, "context.tar", (bytes) => flipped(bytes, 1)),
      6,
      "archive_malformed",
    ],
    [
      "with a changed content",
      (folder) => spoiled(folder, "context.tar", (bytes) => flipped(bytes, bytes.indexOf("FROM scratch"))),
      6,
      "source_mismatch",
    ],
    ["with a member twice", (folder) => spoiled(folder, "context.tar", doubled), 6, "archive_malformed"],
    [
      "that is empty",
      (folder) => spoiled(folder, "context.tar", () => Buffer.alloc(0)),
      6,
      "archive_malformed",
    ],
  ];
  test.each(wrong)("%s", async (what, make, code, failure) => {
    using folder = await captured([
      what.includes("zstd")
        ? "context.tar.zst"
        : what.includes("compression")
          ? "context.tar.gz"
          : "context.tar",
    ]);
    const ran = await verify(folder, make(folder));
    expect([ran.code, reportOf(ran).error?.code]).toEqual([code, failure]);
    expect(reportOf(ran).accepted).toEqual([]);
  });

  test("against what is no capture is a usage error", async () => {
    using folder = await captured();
    for (const text of [
      "{}",
      "[]",
      "no json",
      '{"schema":"waybill.capture/v1","digests":{"git_tree":"x"}}',
    ]) {
      writeFileSync(folder.at("capture.json"), text);
      expect([(await verify(folder, "repo")).code]).toEqual([2]);
    }
  });
});

describe.skipIf(Bun.which("python3") === null)("a hostile archive", () => {
  const PYTHON = `
import io, sys, tarfile
def add(tar, name, type=tarfile.REGTYPE, link="", size=0):
    member = tarfile.TarInfo(name); member.type = type; member.linkname = link; member.size = size; tar.addfile(member)
def long(tar, name):
    member = tarfile.TarInfo("././@LongLink"); member.type = tarfile.GNUTYPE_LONGNAME; member.size = len(name)
    tar.addfile(member, io.BytesIO(name.encode()))
def pax(tar, text, rest=b""):
    member = tarfile.TarInfo("x"); member.type = tarfile.XHDTYPE; member.size = len(text)
    tar.fileobj.write(member.tobuf() + (text + rest).ljust(512, b"\\0"))
with tarfile.open(sys.argv[1], "w") as tar:
    exec(sys.argv[2])
`;
  test.each([
    ["leads out of the context", 'add(tar, "../x")'],
    ["leads out of it in the middle", 'add(tar, "a/../../x")'],
    ["is absolute", 'add(tar, "/x")'],
    ["is a hard link to nothing before it", 'add(tar, "y", tarfile.LNKTYPE, "x"); add(tar, "x")'],
    ["is a hard link out of the context", 'add(tar, "y", tarfile.LNKTYPE, "../x")'],
    ["is a hard link to a folder", 'add(tar, "x", tarfile.DIRTYPE); add(tar, "y", tarfile.LNKTYPE, "x")'],
    ["lies below a link", 'add(tar, "x", tarfile.SYMTYPE, "/etc"); add(tar, "x/passwd")'],
    ["lies below a file", 'add(tar, "x/y"); add(tar, "x")'],
    // GNU tar lists what lies in the bytes of a link, and does not unpack it; others do.
    ["is a link with bytes", 'add(tar, "x", tarfile.SYMTYPE, "y", 512); add(tar, "z")'],
    ["has two long names", 'long(tar, "a"); long(tar, "b"); add(tar, "x")'],
    ["has a long name and a pax name", 'long(tar, "a"); add(tar, "\\u00e9")'],
    // GNU tar takes the last alone, others take both.
    ["has two pax headers", 'pax(tar, b"10 path=a\\n"); pax(tar, b"11 mtime=1\\n"); add(tar, "x")'],
    // GNU tar reads a name without its NUL on.
    ["has something behind its pax header", 'pax(tar, b"10 path=a\\n", b"x"); add(tar, "x")'],
    ["is a device", 'add(tar, "x", tarfile.CHRTYPE)'],
    ["is there in two spellings", 'add(tar, "a/x"); add(tar, "./a//x")'],
    ["is a file and a link", 'add(tar, "x"); add(tar, "x", tarfile.SYMTYPE, "y")'],
  ])("whose member %s is refused", async (_what, code) => {
    using folder = temporaryFolder();
    expect((await runProgram(["python3", "-c", PYTHON, folder.at("x.tar"), code])).code).toBe(0);
    const digests = { tar_sha256: "0".repeat(64) };
    writeFileSync(folder.at("capture.json"), JSON.stringify({ schema: "waybill.capture/v1", digests }));
    const ran = await verify(folder, "x.tar");
    expect([ran.code, reportOf(ran).error?.code]).toEqual([6, "archive_malformed"]);
  });
});

function spoiled(folder: TemporaryFolder, name: string, change: (bytes: Buffer) => Uint8Array): string {
  writeFileSync(folder.at(name), change(readFileSync(folder.at(name))));
  return name;
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

/** The first member, with its content, once more at the start. */
function doubled(bytes: Buffer): Buffer {
  const second = bytes.indexOf("ustar", 512) - 257;
  return Buffer.concat([bytes.subarray(0, second), bytes]);
}
