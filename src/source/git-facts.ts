import { readCommitTree, type CommitTree } from "./commit-tree.ts";
import type { Commit } from "./commit.ts";
import { committedEntry } from "./committed-entry.ts";
import { configuredRepo } from "./configured-repo.ts";
import { readDirty } from "./dirty.ts";
import { machineOf, type GitMachine } from "./git-machine.ts";
import type { Git } from "./git.ts";
import { readHead, readHeadCommit, type HeadCommit, refsAtHead, branchOf, type Head } from "./head.ts";
import { absent, known, type Known } from "./known.ts";
import { readOperation, type Operation } from "./operation.ts";
import { readPushed, type Pushed } from "./pushed.ts";
import { settingsOf, type Settings } from "./remote-choice.ts";
import { readSubmodules, type Submodule } from "./submodules.ts";
import { readSuperproject, type Superproject } from "./superproject.ts";
import type { WorkTree } from "./work-tree.ts";

/** What git observed of the work tree that the context lies in. */
export type GitFacts = {
  /** git itself, or the repository's files where there is no git. */
  readonly readBy: "git" | "files";
  /** Configuration that git would have included, and that was not read. */
  readonly includesSkipped: boolean;
  readonly objectFormat: "sha1" | "sha256";
  readonly shallow: boolean;
  /** A clone whose missing objects would be fetched on demand. Nothing is fetched here. */
  readonly partial: boolean;
  /** One of several work trees of a repository. */
  readonly linked: boolean;
  readonly commit: Known<string>;
  readonly object: Commit | null;
  readonly ref: Known<string>;
  readonly refFull: Known<string>;
  readonly refKind: Head["refKind"];
  readonly tags: readonly string[];
  readonly operation: Operation | null;
  readonly repo: Known<string>;
  /** The context below the top of the work tree; absent at the top. */
  readonly subpath: Known<string>;
  /** What `git status` says below the context, ignored files left out: the original's meaning of dirty. */
  readonly dirty: Known<boolean>;
  /** Everything that HEAD holds below the context; null when that is what ships, and was not listed. */
  readonly tree: Known<CommitTree | null>;
  /** The id of that tree; null when HEAD has no such folder. */
  readonly treeId: string | null;
  readonly submodules: readonly Submodule[];
  readonly superproject: Superproject | null;
  readonly pushed: Pushed;
  /** The repository around a context that it does not track: not where these bytes come from. */
  readonly enclosing: Enclosing | null;
  readonly machine: GitMachine;
};

export type Enclosing = {
  readonly repo: string | null;
  readonly commit: string | null;
  readonly ref: string | null;
};

const WANTED_SETTINGS: string = String.raw`^(remote\..*\.(url|promisor)|branch\..*\.remote|extensions\..*|filter\..*|core\.(autocrlf|eol|filemode|ignorecase|precomposeunicode|symlinks))$`;

/**
 * `git` runs at the top of the work tree. Everything is asked at once: git's processes run beside the reading. Only
 * what the commit holds and what is untracked waits for `shipped`, the id of the tree of all files in the context, or
 * null as soon as it surely is another one than the commit's: to list 80,000 files twice takes a tenth of a whole
 * capture, and one id says it all. `own` are patterns of git's ignore files for what this run writes meanwhile.
 */
export async function gatherFacts(
  git: Git,
  workTree: Extract<WorkTree, { ok: true }>,
  shipped: Promise<string | null>,
  own: readonly string[],
): Promise<GitFacts> {
  const { top, subpath, objectFormat, shallow, folders } = workTree;
  const pointing = refsAtHead(git);
  const commit = readHeadCommit(git);
  const treeId = readTreeId(git, commit, subpath);
  // With a submodule in it the tree would have another id: none of what is there is one.
  const differs = shipped.then(async (id) => id === null || id !== (await treeId));
  const committed = differs.then(async (is) => (is ? readCommitTree(git, subpath) : known(null)));
  const branch = branchOf(git, pointing);
  const configured = git.run(["config", "-z", "--get-regexp", WANTED_SETTINGS]);
  const [symbolic, head, settingsAnswer, dirty, tree, pushed, superproject, id, version] = await Promise.all([
    branch,
    readHead(git, commit, branch, pointing),
    configured,
    readDirty(git, top, subpath, { settings: configured, differs, own, committed }),
    committed,
    readPushed(
      git,
      commit.then(({ id }) => id),
      pointing,
      shallow,
    ),
    readSuperproject(git, top),
    treeId,
    git.line(["version"]),
  ]);
  const settings = settingsAnswer.ok ? settingsOf(settingsAnswer.stdout) : [];
  const facts: GitFacts = {
    readBy: "git",
    includesSkipped: false,
    objectFormat,
    shallow,
    partial: isPartial(settings),
    linked: folders !== null && folders.own !== folders.common,
    ...head,
    operation: folders === null ? null : readOperation(folders.own),
    repo: configuredRepo(settingsAnswer, symbolic.value),
    subpath: subpath === "" ? absent("at_top_level") : known(subpath),
    dirty,
    tree,
    treeId: id,
    submodules:
      tree.value === null
        ? []
        : await readSubmodules(git, subpath === "" ? top : `${top}/${subpath}`, tree.value),
    superproject,
    pushed,
    enclosing: null,
    machine: machineOf(settings, version),
  };
  return facts.commit.value !== null && tree.reason === "context_not_tracked" ? unattributed(facts) : facts;
}

/** The id of HEAD's tree, or of the folder in it; null when there is none. */
async function readTreeId(git: Git, commit: Promise<HeadCommit>, subpath: string): Promise<string | null> {
  if (subpath === "") return (await commit).object?.tree ?? null;
  const entry = await committedEntry(git, subpath);
  return entry?.type === "tree" ? entry.id : null;
}

function isPartial(settings: Settings): boolean {
  return settings.some(
    ([name, value]) =>
      name === "extensions.partialclone" || (/^remote\..*\.promisor$/su.test(name) && value !== "false"),
  );
}

/** A folder that the enclosing repository ignores or never added: its commit says nothing about these bytes. */
function unattributed(facts: GitFacts): GitFacts {
  const none = absent("context_not_tracked");
  return {
    ...facts,
    enclosing: { repo: facts.repo.value, commit: facts.commit.value, ref: facts.ref.value },
    commit: none,
    object: null,
    ref: none,
    refFull: none,
    refKind: null,
    tags: [],
    repo: none,
    subpath: none,
    dirty: none,
    tree: none,
    treeId: null,
    submodules: [],
    superproject: null,
    pushed: { value: null, reason: "context_not_tracked", ref: null },
  };
}
