/** What benches stand on: a folder that goes away again, trees of files, and programs to compare with. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

export const PEERS: string = join(import.meta.dir, "../peers");

const endings = new Set<() => void>();
process.on("exit", () => endings.forEach((end) => end()));
// An interrupted bench ends what it started and removes what it wrote, as a finished one does.
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(signal, () => process.exit(code));
}

/** Has `end` called when the bench ends, however that comes about; what it gives forgets that again. */
export function atEnd(end: () => void): () => void {
  endings.add(end);
  return () => void endings.delete(end);
}

/** Starts a program that goes on beside the bench, and never longer than it. */
export function startBeside(words: readonly string[]): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  const child = Bun.spawn([...words], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const forget = atEnd(() => child.kill());
  void child.exited.then(forget);
  return child;
}

/** Runs `work` with a new folder and removes it; in memory where `base` says so and there is room. */
export async function inNewFolder(
  work: (folder: string) => Promise<void>,
  base: string = tmpdir(),
): Promise<void> {
  const folder = newFolder(base);
  try {
    await work(folder.path);
  } finally {
    folder.remove();
  }
}

export function newFolder(base: string = tmpdir()): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(existsSync(base) ? base : tmpdir(), "waybill-bench-"));
  const end = (): void => rmSync(path, { recursive: true, force: true });
  const forget = atEnd(end);
  return { path, remove: () => (end(), forget()) };
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

/** Plants a tree in `folder` (see tree.ts), or one of as many files, and gives its place. */
export function plantTree(folder: string, name: TreeName | number): string {
  const place = join(folder, String(name));
  run([process.execPath, join(import.meta.dir, "tree.ts"), place, String(name)]);
  return place;
}

/** Bytes of all its files. */
export function bytesOf(tree: string): number {
  return Number(
    run(["sh", "-c", `find "$0" -type f -printf '%s\\n' | awk '{ all += $1 } END { print all }'`, tree]),
  );
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

/** A C file as a program in `folder`; there is no bench without a compiler, since the stop watch is one. */
export function compile(source: string, folder: string, flags: readonly string[] = []): string {
  const there = Bun.which("cc") !== null && existsSync("/usr/include/openssl/sha.h");
  if (!there && !install(["gcc", "libc6-dev", "libssl-dev"])) {
    throw new Error(
      "a C compiler and OpenSSL's headers are wanted: apt-get install gcc libc6-dev libssl-dev",
    );
  }
  const program = join(folder, basename(source, ".c"));
  run(["cc", "-O2", "-o", program, source, ...flags]);
  return program;
}

/** One of `peers`. */
export function compilePeer(name: "tree-hash" | "limits", folder: string): string {
  return compile(join(PEERS, `${name}.c`), folder, ["-lcrypto", "-lpthread"]);
}

/** A program that does nothing, compiled by the runtime exactly as ours is. */
export function emptyProgram(folder: string): string {
  const source = join(folder, "empty.ts");
  writeFileSync(source, "export {};\n");
  return compileAsOurs(source, folder);
}

/** A source of our own language as a program in `folder`, compiled exactly as ours is. */
export function compileAsOurs(source: string, folder: string): string {
  const program = join(folder, basename(source, ".ts"));
  const flags = ["--compile", "--bytecode", "--compile-jit-policy=30", "--format=esm", "--splitting"];
  const hardened = [
    "--minify-syntax",
    "--minify-whitespace",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--compile-exec-argv=--disallow-code-generation-from-strings=strict",
  ];
  run([process.execPath, "build", source, "--outfile", program, ...flags, ...hardened], folder);
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
  return existsSync("/usr/bin/python3") ? "/usr/bin/python3" : (Bun.which("python3") ?? "python3");
}

/** A path for scripts that name their interpreter by its name alone: the same Python for them, too. */
export function plainPath(): string {
  return `${dirname(python())}:/usr/bin:/bin`;
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

const leftOut: string[] = [];

/** What a result leaves out is said, not hidden. */
export function skipped(what: string): null {
  leftOut.push(what);
  console.log(`- SKIPPED: ${what}: not here and not to be had\n`);
  return null;
}

export const allSkipped = (): readonly string[] => leftOut;
