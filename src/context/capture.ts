import { pendingPattern } from "../host/pending-name.ts";
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
import { digestsOf, type Digests } from "./capture-digests.ts";
import { compareWithCommit } from "./commit-comparison.ts";
import { ContextFolder } from "./context-folder.ts";
import type { DigestName } from "./digest-names.ts";
import { examine, type Health } from "./health.ts";
import type { Machine } from "./health-document.ts";
import { compileIgnore } from "./ignore.ts";
import { matchOf, unknownMatch, type MatchesCommit } from "./matches-commit.ts";

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
  readonly digests: Digests;
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
  const shipped = Promise.withResolvers<string | null>();
  const [{ workTree, fromFiles }, gathered, { context, digests }] = await Promise.all([
    finding,
    finding.then(({ workTree: found }) =>
      git !== null && found.ok
        ? gather(git.at(found.top), found, ci, shipped.promise, request.outputs)
        : null,
    ),
    read(request, finding, shipped.resolve, stop),
  ]);
  const facts = gathered?.facts ?? fromFiles;
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

/** Reads the context and digests it, and tells what git waits for: see `gatherFacts`. */
async function read(
  request: CaptureRequest,
  finding: ReturnType<typeof locate>,
  ships: (tree: string | null) => void,
  stop: AbortSignal,
): Promise<Pick<Capture, "context" | "digests">> {
  if (request.digests?.has("git_tree") === false) ships(null);
  const objectFormat = finding.then(({ workTree }) => (workTree.ok ? workTree.objectFormat : null));
  const context = await captureContext({ ...request, objectFormat }, stop, ({ leavesOut }) => {
    // Mostly of what the commit has: then it is listed beside the reading.
    if (leavesOut) ships(null);
  });
  const digests = digestsOf(context, (await finding).workTree, request.digests ?? null);
  ships(digests.git_tree.value);
  return { context, digests };
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
  /** At the top of the work tree. */
  readonly git: Git;
};

async function gather(
  git: Git,
  workTree: Extract<WorkTree, { ok: true }>,
  ci: CiClaims | null,
  shipped: Promise<string | null>,
  outputs: readonly string[],
): Promise<Gathered> {
  const facts = await gatherFacts(git, workTree, shipped, outputs.map(pendingPattern));
  const equal = ci === null || ci.pullRequest === null ? null : await treeEqualsHead(git, facts, ci);
  return { facts, treeEqualsHead: equal, git };
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
  const { facts, git } = gathered;
  if (context.items === null) return unknownMatch(context.problem?.code ?? "unreadable");
  if (facts.tree.reason !== null) return unknownMatch(facts.tree.reason);
  // Nothing ships, so nothing was compared: an ignore file that leaves out all is no proof of anything.
  if (context.items.length === 0) return unknownMatch("context_empty");
  // One id for all: then there is nothing to look at.
  const committed = facts.tree.value;
  if (committed === null || (itemsTree !== null && itemsTree === facts.treeId)) return matchOf([], []);
  const ignore = compileIgnore(context.chosen?.ignoreLines ?? []);
  return compareWithCommit({
    git,
    folder,
    subpath: workTree.subpath,
    format: workTree.objectFormat,
    items: context.items,
    committed,
    submodules: facts.submodules,
    isIgnored: (path: BytePath) => ignore.verdictFor(patternText(path)).ignored,
  });
}
