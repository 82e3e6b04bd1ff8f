import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { captureJson } from "../context/support/run-capture.ts";
import { plantFiles } from "../context/support/disk-tree.ts";
import { scratchFolders } from "../context/support/scratch.ts";
import { addSubmodule, git, HAS_GIT, makeRepository, REMOTE } from "../source/support/repository.ts";

const newFolder = scratchFolders();
const CAN_TRACE =
  Bun.spawnSync(["sh", "-c", "strace -f -y -o /dev/null true"], { stderr: "ignore" }).exitCode === 0;

const CALLS =
  "connect,open,openat,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,truncate,ftruncate,chmod,fchmod,fchmodat,utimensat,execve";

async function trace(root: string, args: readonly string[]): Promise<string[]> {
  const log = join(newFolder(), "trace");
  const under = ["strace", "-f", "-y", "-s", "400", "-e", `trace=${CALLS}`, "-o", log];
  const { exit } = await captureJson(root, args, { under });
  expect(exit).toBe(0);
  return readFileSync(log, "utf8").split("\n");
}

const WRITES =
  /\b(?:creat|rename|renameat2?|unlink|unlinkat|mkdir|mkdirat|rmdir|link|linkat|symlink|symlinkat|truncate|ftruncate|chmod|fchmod|fchmodat|utimensat)\(|O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/u;

test.skipIf(!HAS_GIT || !CAN_TRACE)("the trace would show a write into the repository", () => {
  const root = makeRepository(newFolder());
  const log = join(newFolder(), "trace");
  Bun.spawnSync(["strace", "-f", "-y", "-e", `trace=${CALLS}`, "-o", log, "git", "-C", root, "add", "app"], {
    stderr: "ignore",
  });
  const lines = readFileSync(log, "utf8").split("\n");
  expect(lines.some((line) => line.includes(root) && WRITES.test(line))).toBe(true);
});

test.skipIf(!HAS_GIT || !CAN_TRACE)(
  "a capture connects to nothing, writes nothing in the repository and starts git alone",
  async () => {
    const inner = makeRepository(newFolder(), { files: { "lib/a": "a\n" } });
    const root = makeRepository(newFolder(), { remote: REMOTE });
    addSubmodule(root, inner, "vendor");
    // Stale times: here git would like to refresh its index.
    Bun.spawnSync(["touch", "-d", "2020-01-01", join(root, "app/main.ts"), join(root, "vendor/lib/a")]);
    git(root, "checkout", "-q", "--detach");
    const lines = await trace(root, ["--archive", join(newFolder(), "context.tar.gz")]);
    expect(lines.filter((line) => line.includes("connect("))).toEqual([]);
    const inside = lines.filter((line) => line.includes(root));
    expect(inside.length).toBeGreaterThan(10);
    expect(inside.filter((line) => WRITES.test(line))).toEqual([]);
    // A relative path under the repository is shown by the folder that the process is in.
    const relative = lines.filter((line) => /AT_FDCWD<[^>]*>, "\.git/u.test(line) && WRITES.test(line));
    expect(relative).toEqual([]);
    const programs = lines.flatMap((line) => /execve\("([^"]+)"/u.exec(line)?.[1] ?? []).slice(1);
    expect(
      new Set(programs.filter((program) => program !== process.execPath && !program.endsWith("/waybill"))),
    ).toEqual(new Set([Bun.which("git") ?? ""]));
  },
);

test.skipIf(!CAN_TRACE)("outside a repository nothing is written either, without an archive", async () => {
  const root = plantFiles(newFolder(), { a: "a", "b/c": "c" });
  const lines = await trace(root, []);
  expect(lines.filter((line) => line.includes("connect("))).toEqual([]);
  expect(lines.filter((line) => line.includes(root) && WRITES.test(line))).toEqual([]);
});
