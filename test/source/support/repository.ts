import { join } from "node:path";
import { plantFiles } from "../../context/support/disk-tree.ts";
import { environment, HANGING_MS } from "../../context/support/run-capture.ts";

export const HAS_GIT: boolean = Bun.which("git") !== null;

/** Whoever runs the tests, their configuration has no part in it. */
const CONFIG: Readonly<Record<string, string>> = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "A U Thor",
  GIT_AUTHOR_EMAIL: "author@example.com",
  GIT_COMMITTER_NAME: "A U Thor",
  GIT_COMMITTER_EMAIL: "author@example.com",
  GIT_AUTHOR_DATE: "2024-01-01T00:00:00Z",
  GIT_COMMITTER_DATE: "2024-01-01T00:00:00Z",
  LC_ALL: "C",
};

export type GitRan = { readonly exit: number; readonly stdout: string; readonly stderr: string };

/** Runs git and gives whatever came of it. */
export function tryGit(folder: string, ...args: readonly string[]): GitRan {
  const ran = Bun.spawnSync(["git", "-C", folder, ...args], {
    env: environment(CONFIG),
    stderr: "pipe",
    timeout: HANGING_MS,
  });
  return { exit: ran.exitCode, stdout: ran.stdout.toString(), stderr: ran.stderr.toString() };
}

/** Runs git to success and gives its output without the last line break. */
export function git(folder: string, ...args: readonly string[]): string {
  const ran = tryGit(folder, ...args);
  if (ran.exit !== 0) throw new Error(`git ${args.join(" ")}: exit ${ran.exit}: ${ran.stderr}`);
  return ran.stdout.replace(/\n$/u, "");
}

export type RepositoryOptions = {
  readonly format?: "sha1" | "sha256";
  readonly remote?: string;
  readonly files?: Readonly<Record<string, string>>;
};

/** A repository with one commit on `main`. */
export function makeRepository(folder: string, options: RepositoryOptions = {}): string {
  const {
    format = "sha1",
    remote,
    files = { "app/main.ts": "main\n", "docs/readme.md": "readme\n" },
  } = options;
  git("/", "init", "-q", "-b", "main", `--object-format=${format}`, folder);
  plantFiles(folder, files);
  git(folder, "add", "--all");
  git(folder, "commit", "-q", "-m", "first");
  if (remote !== undefined) git(folder, "config", "remote.origin.url", remote);
  return folder;
}

/** Adds a submodule whose own repository is a folder of this machine. */
export function addSubmodule(repository: string, origin: string, path: string): string {
  git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", origin, path);
  git(repository, "commit", "-q", "-m", "submodule");
  return join(repository, path);
}

export const REMOTE = "https://git.example.com/team/app.git";
export const REPO = "git.example.com/team/app";

/** Commits everything that is there, on whatever is checked out; the id of the commit. */
export function commitAll(repository: string, message: string): string {
  git(repository, "add", "--all");
  git(repository, "commit", "-q", "--allow-empty", "-m", message);
  return git(repository, "rev-parse", "HEAD");
}
