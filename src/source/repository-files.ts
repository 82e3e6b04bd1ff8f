import { lstatSync, realpathSync, type Stats } from "node:fs";
import { delimiter, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { Failure } from "../base/failure.ts";
import { LIMITS } from "../base/limits.ts";
import { errorCode, readBounded, reason } from "../host/files.ts";
import { parseGitConfig } from "./git-config.ts";
import type { GitFacts } from "./git-facts.ts";
import { machineOf } from "./git-machine.ts";
import { absent, known, type AbsenceReason, type Known } from "./known.ts";
import { readOperation } from "./operation.ts";
import { packedRef, parseRefContent } from "./ref-names.ts";
import { chooseRepo, setting, type Settings } from "./remote-choice.ts";
import type { WorkTree } from "./work-tree.ts";

/** What a repository's own files say where there is no git to ask. */
export type FoundFiles =
  | { readonly workTree: Extract<WorkTree, { ok: true }>; readonly facts: GitFacts }
  | { readonly workTree: Extract<WorkTree, { ok: false }>; readonly facts: null };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Commit, branch and remote by reading what git would read, as data: nothing is run, no link is followed out of the
 * git folder, every read has a ceiling. What takes the index or objects stays unknown, with the reason `git_missing`.
 * `start` is where the search begins, `contextRoot` what is attributed.
 */
export function readRepositoryFiles(start: string, contextRoot: string, env: Environment): FoundFiles {
  try {
    const place = findGitFolder(start, ceilingsIn(env));
    if (place === null) return refused("git_missing", "no folder from here up is a repository");
    return readFound(place, contextRoot);
  } catch (error) {
    if (error instanceof Refusal) return refused(error.reason, error.message);
    if (error instanceof Failure || errorCode(error) !== "") {
      return refused("git_files_unreadable", reason(error));
    }
    throw error;
  }
}

class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: AbsenceReason;

  constructor(reason: AbsenceReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

function refused(reason: AbsenceReason, detail: string): FoundFiles {
  return { workTree: { ok: false, reason, detail }, facts: null };
}

function ceilingsIn(env: Environment): readonly string[] {
  return (env["GIT_CEILING_DIRECTORIES"] ?? "").split(delimiter).filter(isAbsolute);
}

type Place = { readonly top: string; readonly gitFolder: string };

function findGitFolder(start: string, ceilings: readonly string[]): Place | null {
  for (let top = start; ; top = dirname(top)) {
    const mark = statusOf(join(top, ".git"));
    if (mark?.isDirectory() === true) return { top, gitFolder: join(top, ".git") };
    if (mark?.isFile() === true) return { top, gitFolder: pointedTo(top) };
    // git would follow a link; here nobody checks who owns what is at its other end.
    if (mark !== undefined)
      throw new Refusal("git_files_unreadable", "the .git there is a link or a special file");
    const bare = ["HEAD", "objects", "refs"].every((name) => statusOf(join(top, name)) !== undefined);
    if (bare) throw new Refusal("no_work_tree", "a bare repository or a .git folder");
    if (dirname(top) === top || ceilings.includes(dirname(top))) return null;
  }
}

function statusOf(place: string): Stats | undefined {
  return lstatSync(place, { throwIfNoEntry: false });
}

/** `gitdir: PATH` is what a linked worktree and a submodule have in place of the folder. */
function pointedTo(top: string): string {
  const text = textOf(join(top, ".git"), LIMITS.refFileBytes);
  const path = /^gitdir: (.+)$/su.exec(text.replace(/[\r\n]+$/u, ""))?.[1];
  if (path === undefined) throw new Refusal("git_files_unreadable", "the .git file is none of git's");
  const folder = resolve(top, path);
  // What has no HEAD is a repository to nobody.
  if (statusOf(folder)?.isDirectory() !== true || statusOf(join(folder, "HEAD")) === undefined) {
    throw new Refusal("git_dir_missing", "the .git file points to a folder that is not here");
  }
  return realpathSync(folder);
}

function readFound({ top, gitFolder }: Place, contextRoot: string): FoundFiles {
  const common = readInside(gitFolder, "commondir", LIMITS.refFileBytes)?.trim();
  const commonFolder = common === undefined ? gitFolder : realpathSync(resolve(gitFolder, common));
  const { settings, includes } = readSettings(gitFolder, commonFolder);
  const version = Number(setting(settings, "core.repositoryformatversion") ?? "0");
  if (version > 1) throw new Refusal("git_files_unreadable", `a repository of version ${version}`);
  checkWorkTree(settings, top, gitFolder);
  const subpath = relative(top, contextRoot);
  if (subpath === ".." || subpath.startsWith(`..${sep}`)) {
    throw new Refusal("context_outside_repo", "the context is not inside the work tree");
  }
  const objectFormat = setting(settings, "extensions.objectformat") === "sha256" ? "sha256" : "sha1";
  const shallow = statusOf(join(commonFolder, "shallow")) !== undefined;
  const head = readHead(gitFolder, commonFolder, setting(settings, "extensions.refstorage"));
  const missing = absent("git_missing");
  return {
    workTree: { ok: true, top, objectFormat, shallow, subpath, folders: null },
    facts: {
      readBy: "files",
      includesSkipped: includes,
      objectFormat,
      shallow,
      partial: setting(settings, "extensions.partialclone") !== null,
      linked: gitFolder !== commonFolder && statusOf(join(top, ".git"))?.isFile() === true,
      ...head,
      object: null,
      tags: [],
      operation: readOperation(gitFolder),
      repo: chooseRepo(settings, head.refFull.value),
      subpath: subpath === "" ? absent("at_top_level") : known(subpath),
      dirty: missing,
      tree: missing,
      treeId: null,
      submodules: [],
      superproject: null,
      pushed: { ...missing, ref: null },
      enclosing: null,
      machine: machineOf(settings, null),
    },
  };
}

function readSettings(gitFolder: string, commonFolder: string): { settings: Settings; includes: boolean } {
  const own = parsed(readInside(commonFolder, "config", LIMITS.gitConfigBytes));
  if (setting(own.settings, "extensions.worktreeconfig") !== "true") return own;
  const more = parsed(readInside(gitFolder, "config.worktree", LIMITS.gitConfigBytes));
  return { settings: [...own.settings, ...more.settings], includes: own.includes || more.includes };
}

function parsed(text: string | null): { settings: Settings; includes: boolean } {
  const found = parseGitConfig(text ?? "");
  if (found === null)
    throw new Refusal("git_files_unreadable", "the configuration of the repository is broken");
  return found;
}

/**
 * A submodule's configuration names its work tree; anything
 * else than the folder that was found is a mistake or a trap.
 */
function checkWorkTree(settings: Settings, top: string, gitFolder: string): void {
  const elsewhere = setting(settings, "core.worktree");
  if (elsewhere !== null) {
    const place = resolve(gitFolder, elsewhere);
    const isTop = statusOf(place)?.isDirectory() === true && realpathSync(place) === realpathSync(top);
    if (!isTop) throw new Refusal("worktree_mismatch", "core.worktree points away from the context");
  } else if (setting(settings, "core.bare") === "true") {
    throw new Refusal("no_work_tree", "a bare repository");
  }
}

/** How many refs may point to refs. git stops at five as well. */
const SYMBOLIC_DEPTH = 5;

function readHead(
  gitFolder: string,
  commonFolder: string,
  storage: string | null,
): Pick<GitFacts, "commit" | "ref" | "refFull" | "refKind"> {
  if (storage !== null && storage !== "files") {
    const none = absent("reftable_needs_git");
    return { commit: none, ref: none, refFull: none, refKind: null };
  }
  const head = parseRefContent(readInside(gitFolder, "HEAD", LIMITS.refFileBytes) ?? "");
  if (head === null) throw new Refusal("git_files_unreadable", "HEAD is neither an id nor a branch");
  if (head.kind === "id") {
    const detached = absent("detached_head");
    return { commit: known(head.id), ref: detached, refFull: detached, refKind: null };
  }
  const { name, commit } = followed(head.name, commonFolder);
  return {
    commit,
    ref: known(name.replace(/^refs\/heads\//u, "")),
    refFull: known(name),
    refKind: "branch",
  };
}

/** A branch may be another name for one. git takes the last name, as it does the last id. */
function followed(start: string, commonFolder: string): { name: string; commit: Known<string> } {
  let name = start;
  for (let depth = 0; depth < SYMBOLIC_DEPTH; depth++) {
    const loose = readInside(commonFolder, name, LIMITS.refFileBytes);
    if (loose === null) {
      const packed = readInside(commonFolder, "packed-refs", LIMITS.packedRefsBytes);
      const id = packed === null ? null : packedRef(packed, name);
      return { name, commit: id === null ? absent("unborn_branch") : known(id) };
    }
    const content = parseRefContent(loose);
    if (content === null) break;
    if (content.kind === "id") return { name, commit: known(content.id) };
    name = content.name;
  }
  return { name, commit: absent("git_files_unreadable") };
}

/** The text of a file of the git folder, or null when there is none. A link, or a folder behind one, is refused. */
function readInside(folder: string, name: string, max: number): string | null {
  const place = join(folder, name);
  const status = statusOf(place);
  if (status === undefined || status.isDirectory()) return null;
  const inside = `${realpathSync(dirname(place))}${sep}`.startsWith(`${realpathSync(folder)}${sep}`);
  if (!status.isFile() || !inside) {
    throw new Refusal("git_files_unreadable", `${name} of the repository is a link or a special file`);
  }
  return textOf(place, max);
}

function textOf(place: string, max: number): string {
  return new TextDecoder().decode(readBounded(place, max, "the repository's", "input_invalid"));
}
