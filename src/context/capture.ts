import type { Sha256 } from "../base/digest.ts";
import { readCi, eventFile, type CiClaims } from "../source/ci.ts";
import { readCiEvent } from "../source/ci-event.ts";
import { coordinatesOf, mismatchesOf, type Coordinates, type Mismatch } from "../source/coordinates.ts";
import { gatherFacts, type GitFacts } from "../source/git-facts.ts";
import { Git } from "../source/git.ts";
import type { AbsenceReason } from "../source/known.ts";
import { treeEqualsHead, type EqualTrees } from "../source/pull-request.ts";
import { readRepositoryFiles } from "../source/repository-files.ts";
import { hasRepositoryAround } from "../source/repository-search.ts";
import { findWorkTree, type WorkTree } from "../source/work-tree.ts";
import { bytePathFromText, patternText, type BytePath } from "./byte-path.ts";
import { captureContext, contextRoot, type ContextCapture, type ContextRequest } from "./capture-context.ts";
import { compareWithCommit } from "./commit-comparison.ts";
import { ContextFolder } from "./context-folder.ts";
import type { DigestName } from "./digest-names.ts";
import { examine, type Health } from "./health.ts";
import type { Machine } from "./health-document.ts";
import { compileIgnore } from "./ignore.ts";
import { unknownMatch, type MatchesCommit } from "./matches-commit.ts";
import { gitTree } from "./git-tree.ts";
import { dirHash, workingTreeHash, type DigestResult, type TreeItems } from "./tree-digests.ts";

export type CaptureRequest = Omit<ContextRequest, "objectFormat"> & {
  /** The work tree to attribute to; by default the one around the context. */
  readonly repo: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The digests that are asked for; without a word, all that can be had. */
  readonly digests?: ReadonlySet<DigestName>;
  /** Milliseconds that all git calls may take together. */
  readonly gitBudgetMs: number;
};

/** Everything that one capture found out, each absence with its reason. */
export type Capture = {
  readonly coordinates: Coordinates;
  readonly matchesCommit: MatchesCommit;
  readonly digests: {
    readonly working_tree_hash: DigestResult;
    readonly dir_hash: DigestResult;
    readonly git_tree: DigestResult;
    readonly tar_sha256: DigestResult;
  };
  readonly context: ContextCapture;
  /** What git observed; null where there is no work tree, or no git. */
  readonly git: GitFacts | null;
  readonly ci: CiClaims | null;
  /** The claims of the CI system that git contradicts. */
  readonly mismatches: readonly Mismatch[];
  /** For a pull request: whether the proposed files are what is checked out. */
  readonly treeEqualsHead: EqualTrees | null;
  /** Null when the context could not be read. */
  readonly health: Health | null;
  readonly machine: Machine;
  /** Why there is no `git`, and its own words for the person who looks for the cause. */
  readonly gitAbsence: { readonly reason: AbsenceReason; readonly detail: string | null } | null;
};

/**
 * The whole capture: the context is listed while git finds the work tree, whose object format decides which blob ids
 * the one read computes; then git's facts are gathered while the content is read.
 */
export async function capture(request: CaptureRequest, stop: AbortSignal): Promise<Capture> {
  const root = contextRoot(request.cwd, request.context);
  const repo = request.repo === undefined ? root : contextRoot(request.cwd, request.repo, "the repository");
  const program = Git.find(request.env);
  const git = program === null ? null : new Git(program, repo, request.env, request.gitBudgetMs, stop);
  const finding = locate(git, repo, root, request.env);
  const ci = readCi(request.env, readCiEvent(eventFile(request.env)));
  const [{ workTree, fromFiles }, gathered, context] = await Promise.all([
    finding,
    finding.then(({ workTree: found }) =>
      git !== null && found.ok ? gather(git.at(found.top), found, ci) : null,
    ),
    captureContext(
      {
        ...request,
        objectFormat: finding.then(({ workTree: found }) => (found.ok ? found.objectFormat : null)),
      },
      stop,
    ),
  ]);
  const facts = gathered?.facts ?? fromFiles;
  const digests = digestsOf(context, workTree, request.digests ?? null);
  return {
    coordinates: coordinatesOf(facts ?? absenceOf(workTree), ci),
    ...(await lookAgain(context, async (folder) => ({
      matchesCommit: await compare(gathered, workTree, context, folder, digests.git_tree.value),
      health:
        context.items === null || context.walk === null ? null : examine(folder, context.items, context.walk),
    }))),
    digests,
    context,
    git: facts,
    ci,
    mismatches: facts === null || ci === null ? [] : mismatchesOf(facts, ci),
    treeEqualsHead: gathered?.treeEqualsHead ?? null,
    machine: { platform: process.platform, umask: umaskText(), git: facts?.machine ?? null },
    gitAbsence:
      facts === null ? { reason: absenceOf(workTree), detail: workTree.ok ? null : workTree.detail } : null,
  };
}

/** For what is read a second time. */
async function lookAgain<T>(
  { root }: ContextCapture,
  look: (folder: ContextFolder) => Promise<T>,
): Promise<T> {
  const folder = new ContextFolder(bytePathFromText(root));
  try {
    return await look(folder);
  } finally {
    folder.close();
  }
}

function umaskText(): string {
  return process.umask().toString(8).padStart(4, "0");
}

type Gathered = {
  readonly facts: GitFacts;
  readonly treeEqualsHead: EqualTrees | null;
  /** The same git, with what is left of the budget: the reading of the context does not count. */
  readonly left: () => Git;
};

async function gather(
  git: Git,
  workTree: Extract<WorkTree, { ok: true }>,
  ci: CiClaims | null,
): Promise<Gathered> {
  const facts = await gatherFacts(git, workTree);
  const equal = ci === null || ci.pullRequest === null ? null : await treeEqualsHead(git, facts, ci);
  return { facts, treeEqualsHead: equal, left: git.paused() };
}

/** The work tree, by asking git or, without one, by reading its files; and what those said. */
async function locate(
  git: Git | null,
  repo: string,
  root: string,
  env: CaptureRequest["env"],
): Promise<{ readonly workTree: WorkTree; readonly fromFiles: GitFacts | null }> {
  if (git === null) {
    const { workTree, facts } = readRepositoryFiles(repo, root, env);
    return { workTree, fromFiles: facts };
  }
  const workTree = hasRepositoryAround(repo) ? await findWorkTree(git, root) : NO_REPOSITORY;
  return { workTree, fromFiles: null };
}

const NO_REPOSITORY = {
  ok: false,
  reason: "not_a_repository",
  detail: "no folder from here up is a repository",
} as const satisfies WorkTree;

function absenceOf(workTree: WorkTree): AbsenceReason {
  // A work tree without its facts is one that only its files told of.
  return workTree.ok ? "git_missing" : workTree.reason;
}

async function compare(
  gathered: Gathered | null,
  workTree: WorkTree,
  context: ContextCapture,
  folder: ContextFolder,
  itemsTree: string | null,
): Promise<MatchesCommit> {
  if (gathered === null || !workTree.ok) return unknownMatch(absenceOf(workTree));
  const { facts, left } = gathered;
  if (context.items === null) return unknownMatch(context.problem?.code ?? "unreadable");
  if (facts.tree.reason !== null) return unknownMatch(facts.tree.reason);
  // Nothing ships, so nothing was compared: an ignore file that leaves out all is no proof of anything.
  if (context.items.length === 0) return unknownMatch("context_empty");
  const ignore = compileIgnore(context.chosen?.ignoreLines ?? []);
  collect(context.items);
  return compareWithCommit({
    git: left(),
    folder,
    subpath: workTree.subpath,
    format: workTree.objectFormat,
    items: context.items,
    itemsTree,
    committedTree: facts.treeId,
    committed: facts.tree.value,
    submodules: facts.submodules,
    isIgnored: (path: BytePath) => ignore.verdictFor(patternText(path)).ignored,
  });
}

/** From so many on, memory counts more than the milliseconds that it takes to give some back. */
const ITEMS_TO_COLLECT = 20_000;

/**
 * Before all items are gone through: gives back what was made until then. By itself the runtime would let it grow to
 * that of several times.
 */
function collect(items: TreeItems): void {
  if (items.length >= ITEMS_TO_COLLECT) Bun.gc(true);
}

function digestsOf(
  context: ContextCapture,
  workTree: WorkTree,
  wanted: ReadonlySet<DigestName> | null,
): Capture["digests"] {
  const { items, lines } = context;
  const gone = context.problem?.code ?? "unreadable";
  const asked = <T extends string>(name: DigestName, compute: () => DigestResult<T>): DigestResult<T> =>
    wanted?.has(name) === false ? none("not_asked") : compute();
  const overItems = <T extends string>(
    name: DigestName,
    compute: (found: TreeItems) => DigestResult<T>,
  ): DigestResult<T> =>
    asked(name, () => {
      if (items === null) return none(gone);
      collect(items);
      return compute(items);
    });
  /** The lines are there already, where files were not read into an archive. */
  const overLines = (name: DigestName, compute: typeof workingTreeHash): DigestResult<Sha256> =>
    lines === null
      ? overItems(name, compute)
      : asked(name, () => (items === null ? none(gone) : compute(items, lines)));
  const archive = context.archive?.tarSha256;
  return {
    working_tree_hash: overLines("working_tree_hash", workingTreeHash),
    dir_hash: overLines("dir_hash", dirHash),
    git_tree: workTree.ok
      ? overItems("git_tree", (found) => some(gitTree(found, workTree.objectFormat)))
      : asked("git_tree", () => none(items === null ? gone : workTree.reason)),
    tar_sha256: asked("tar_sha256", () =>
      archive === undefined || archive === null ? none(context.problem?.code ?? "no_archive") : some(archive),
    ),
  };
}

function some<T extends string>(value: T): DigestResult<T> {
  return { value, reason: null };
}

function none(reason: string): { readonly value: null; readonly reason: string } {
  return { value: null, reason };
}
