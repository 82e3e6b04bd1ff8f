import { delimiter, dirname } from "node:path";
import { interruption } from "../base/interruption.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/printable.ts";
import { findProgram, runProcess } from "../host/processes.ts";
import { GitBudget } from "./git-budget.ts";
import { redactRemote } from "./remote.ts";

/** Why git could not say something. Stable codes, part of the capture document. */
export type GitReason =
  | "git_missing"
  | "not_a_repository"
  | "git_dubious_ownership"
  | "git_dir_missing"
  | "git_timeout"
  | "git_index_unreadable"
  | "git_failed";

export type GitAnswer =
  | { readonly ok: true; readonly stdout: Uint8Array }
  | { readonly ok: false; readonly reason: GitReason; readonly code: number | null; readonly detail: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** The folders that git does not go up to when it looks for a repository. */
const CEILINGS = "GIT_CEILING_DIRECTORIES";

/**
 * What a child git may see. Everything else is left out: an inherited GIT_DIR (we may run inside a hook) would
 * describe another repository, and GIT_SSH_COMMAND, GIT_EXTERNAL_DIFF, PAGER name programs.
 */
const PASSED = [
  "PATH",
  "HOME",
  "XDG_CONFIG_HOME",
  "USERPROFILE",
  "HOMEDRIVE",
  "HOMEPATH",
  "SYSTEMROOT",
  "TMPDIR",
  "SUDO_UID",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  CEILINGS,
];
const PASSED_CONFIG = /^GIT_CONFIG_(?:COUNT|KEY_\d+|VALUE_\d+)$/u;

const FIXED = {
  LC_ALL: "C",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_NO_LAZY_FETCH: "1",
  // Stronger than protocol.allow, which a repository's `protocol.ext.allow` overrides. Old gits fetch lazily.
  GIT_ALLOW_PROTOCOL: "none",
  // A replacement shows another tree under a commit's name, and no clone of the commit has it.
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_PAGER: "cat",
};

/**
 * Each shuts one way in which a repository's own configuration runs a program, hides a change or reaches the
 * network: a file monitor, hooks, gpg through log, quoting, untracked files, submodules, transports.
 */
const INERT = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "log.showSignature=false",
  "core.quotePath=false",
  "status.showUntrackedFiles=all",
  // A stash is no change of the work tree, and would be a line of status like one.
  "status.showStash=false",
  "diff.ignoreSubmodules=none",
  "submodule.recurse=false",
  "core.untrackedCache=false",
  "protocol.allow=never",
];

/** Runs the machine's git in one folder so that nothing the repository says is executed. */
export class Git {
  readonly #program: string;
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #budget: GitBudget;
  readonly #stop: AbortSignal;

  /** `budget` is for all calls together, in milliseconds where it is a new one; `stop` ends what is running. */
  constructor(
    program: string,
    folder: string,
    env: Environment,
    budget: GitBudget | number,
    stop: AbortSignal,
  ) {
    this.#program = program;
    this.#folder = folder;
    this.#env = childEnvironment(env);
    this.#budget = typeof budget === "number" ? new GitBudget(budget) : budget;
    this.#stop = stop;
  }

  /** The same git in another folder, on the same budget. */
  at(folder: string): Git {
    return new Git(this.#program, folder, this.#env, this.#budget, this.#stop);
  }

  /** The same in a folder that is a repository itself or none: git would go on to the one around it. */
  within(folder: string): Git {
    const above = dirname(folder);
    const ceilings = [this.#env[CEILINGS], above].filter((place) => place !== undefined);
    const env = { ...this.#env, [CEILINGS]: ceilings.join(delimiter) };
    // Such a list cannot name every folder.
    const Bounded = above.includes(delimiter) ? CheckedGit : Git;
    return new Bounded(this.#program, folder, env, this.#budget, this.#stop);
  }

  static find(env: Environment): string | null {
    return findProgram("git", env["PATH"]);
  }

  /**
   * Runs `git <args>`; `config` are further `name=value` settings, `input` is its standard input. Never throws for
   * what git does, only the Failure of an interruption once the run is stopped.
   */
  async run(
    args: readonly string[],
    config: readonly string[] = [],
    input: Uint8Array | null = null,
  ): Promise<GitAnswer> {
    // check-ignore alone takes no literal pathspecs; its paths are made inert by whoever asks.
    const literal = args[0] === "check-ignore" ? [] : ["--literal-pathspecs"];
    const { left } = this.#budget;
    if (left <= 0)
      return { ok: false, reason: "git_timeout", code: null, detail: "the time budget is spent" };
    const settings = [...INERT, ...config].flatMap((setting) => ["-c", setting]);
    const process = {
      program: this.#program,
      args: ["--no-optional-locks", ...literal, ...settings, "-C", this.#folder, ...args],
      cwd: "/",
      env: this.#env,
      deadlineMs: left,
      maxOutputBytes: LIMITS.gitOutputBytes,
      stop: this.#stop,
      ...(input === null ? {} : { input }),
    };
    const result = await this.#budget.spend(async () => runProcess(process));
    if (result.outcome === "stopped") throw interruption(this.#stop, "asking git");
    if (result.outcome === "deadline") {
      return {
        ok: false,
        reason: "git_timeout",
        code: null,
        detail: "git did not answer within the time budget",
      };
    }
    if (result.outcome !== "exited")
      return { ok: false, reason: "git_failed", code: null, detail: result.outcome };
    if (result.code === 0) return { ok: true, stdout: result.stdout };
    return {
      ok: false,
      reason: reasonOf(result.stderr),
      code: result.code,
      // git repeats the remote's URL, with its password, in some messages.
      detail: printable(redactRemote(result.stderr), 300),
    };
  }

  /** The output of `run` as text without its last line break, or null when git failed. */
  async line(args: readonly string[]): Promise<string | null> {
    const answer = await this.run(args);
    return answer.ok ? textOf(answer.stdout).replace(/\n$/u, "") : null;
  }
}

/** Asks first whether the repository that git finds is that of the folder itself. */
class CheckedGit extends Git {
  #prefix: Promise<GitAnswer> | null = null;

  override async run(...call: Parameters<Git["run"]>): Promise<GitAnswer> {
    this.#prefix ??= super.run(["rev-parse", "--show-prefix"]);
    const prefix = await this.#prefix;
    if (!prefix.ok) return prefix;
    // Nothing but the end of the line at the top of a repository.
    if (prefix.stdout.length === 1) return super.run(...call);
    return { ok: false, reason: "not_a_repository", code: null, detail: "the repository is the one around" };
  }
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function childEnvironment(env: Environment): Record<string, string> {
  const child: Record<string, string> = { ...FIXED };
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (PASSED.includes(name) || PASSED_CONFIG.test(name))) child[name] = value;
  }
  return child;
}

/** git's words under LC_ALL=C; it has no codes of its own. */
function reasonOf(stderr: string): GitReason {
  if (/detected dubious ownership|unsafe repository/u.test(stderr)) return "git_dubious_ownership";
  // With a path after the colon, the `.git` file of a worktree or submodule points nowhere.
  if (/not a git repository: \S/u.test(stderr)) return "git_dir_missing";
  if (/not a git repository/u.test(stderr)) return "not_a_repository";
  if (/index file|bad signature|index uses/u.test(stderr)) return "git_index_unreadable";
  return "git_failed";
}
