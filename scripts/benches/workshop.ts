/** What benches stand on: a folder that goes away again, trees of files, and programs to compare with. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `work` with a new folder and removes it; in memory where `base` says so and there is room. */
export async function inNewFolder(
  work: (folder: string) => Promise<void>,
  base: string = tmpdir(),
): Promise<void> {
  const folder = mkdtempSync(join(existsSync(base) ? base : tmpdir(), "waybill-bench-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The standard output of words that must succeed. */
export function run(words: readonly string[], cwd?: string): string {
  const done = Bun.spawnSync([...words], {
    stdout: "pipe",
    stderr: "inherit",
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (!done.success) throw new Error(`${words.join(" ")} failed`);
  return done.stdout.toString();
}

export type TreeName = "small" | "medium" | "large" | "huge";

/** Plants a tree in `folder` (see tree.ts) and gives its place. */
export function plantTree(folder: string, name: TreeName): string {
  const place = join(folder, name);
  run([process.execPath, join(import.meta.dir, "tree.ts"), place, name]);
  return place;
}

/** Commits a tree to a repository beside it, so that it is one tree with git and without; gives the `.git` folder. */
export function commitTree(tree: string): string {
  const gitFolder = `${tree}.git`;
  const git = (...words: string[]): string =>
    run(["git", `--git-dir=${gitFolder}`, `--work-tree=${tree}`, ...words], tree);
  run(["git", "init", "-q", "-b", "main", "--separate-git-dir", gitFolder, tree]);
  rmSync(join(tree, ".git"));
  const fast = ["-c", "core.compression=0", "-c", "gc.auto=0"];
  git(...fast, "add", "-A");
  git(...fast, "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-q", "-m", "all");
  git("remote", "add", "origin", "https://git.example.com/bench/tree.git");
  // What is one object to a file would be looked up in a folder of 80,000.
  git(...fast, "repack", "-a", "-d", "-q");
  git("status", "--porcelain");
  return gitFolder;
}

/** A program of `peers` in C, compiled against OpenSSL; null, and a line about it, where that cannot be had. */
export function compilePeer(folder: string, name: string): string | null {
  const there = Bun.which("cc") !== null && existsSync("/usr/include/openssl/sha.h");
  if (!there && !install(["gcc", "libc6-dev", "libssl-dev"])) return skipped(`the program in C (${name})`);
  const program = join(folder, name);
  run(["cc", "-O2", "-o", program, join(import.meta.dir, "peers", `${name}.c`), "-lcrypto", "-lpthread"]);
  return program;
}

/** Whether a command is there, installed from its Debian package if need be. */
export function hasCommand(command: string, debianPackage: string): boolean {
  if (Bun.which(command) !== null || install([debianPackage])) return true;
  skipped(command);
  return false;
}

/** Python without a version manager's script before it, which takes longer than a small tree. */
export function python(): string {
  return existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
}

/** A package from npm with what it depends on, in a folder of its own; null, and a line about it, when out of reach. */
export function npmPackage(folder: string, nameAndVersion: string): string | null {
  const place = join(folder, "npm");
  mkdirSync(place);
  const added = Bun.spawnSync([process.execPath, "add", "--silent", "--ignore-scripts", nameAndVersion], {
    cwd: place,
    stdout: "ignore",
    stderr: "inherit",
  });
  return added.success ? place : skipped(nameAndVersion);
}

function install(packages: readonly string[]): boolean {
  if (process.getuid?.() !== 0 || Bun.which("apt-get") === null) return false;
  const quiet = { stdout: "ignore", stderr: "inherit" } as const;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  Bun.spawnSync(["apt-get", "update", "-qq"], quiet);
  const words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages];
  return Bun.spawnSync(words, { ...quiet, env }).success;
}

/** What a result leaves out is said, not hidden. */
export function skipped(what: string): null {
  console.log(`- SKIPPED: ${what}: not here and not to be had\n`);
  return null;
}
