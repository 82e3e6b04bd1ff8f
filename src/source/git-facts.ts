import { realpathSync } from "node:fs";
import { relative, sep } from "node:path";
import { readCommitTree, type TreeEntry } from "./commit-tree.ts";
import { readDirty } from "./dirty.ts";
import { textOf, type Git } from "./git.ts";
import { absent, known, type AbsenceReason, type Known } from "./known.ts";
import { normaliseRemote } from "./remote.ts";

/** What git observed of the work tree that the context lies in. */
export type GitFacts = {
  readonly objectFormat: "sha1" | "sha256";
  readonly shallow: boolean;
  readonly commit: Known<string>;
  /** The short name: `main` for refs/heads/main also when a tag has that name, an exact tag when HEAD is detached. */
  readonly ref: Known<string>;
  readonly refFull: Known<string>;
  readonly repo: Known<string>;
  /** The context below the top of the work tree; absent at the top. */
  readonly subpath: Known<string>;
  /** What `git status` says below the context, ignored files left out: the original's meaning of dirty. */
  readonly dirty: Known<boolean>;
  /** Everything that HEAD holds below the context. */
  readonly tree: Known<readonly TreeEntry[]>;
};

/** The work tree around the context, or why the context belongs to none. */
export type WorkTree =
  | {
      readonly ok: true;
      readonly top: string;
      readonly objectFormat: "sha1" | "sha256";
      readonly shallow: boolean;
      /** The context below `top`; "" when it is the top itself. */
      readonly subpath: string;
    }
  | { readonly ok: false; readonly reason: AbsenceReason; readonly detail: string };

/** `git` runs in the context, or in the folder that the caller names as its repository. */
export async function findWorkTree(git: Git, contextRoot: string): Promise<WorkTree> {
  const flags = ["--is-inside-work-tree", "--is-shallow-repository", "--show-object-format"];
  const answer = await git.run(["rev-parse", ...flags]);
  if (!answer.ok) return { ok: false, reason: answer.reason, detail: answer.detail };
  const [inside, shallow, format] = textOf(answer.stdout).split("\n");
  const top = inside === "true" ? await git.line(["rev-parse", "--show-toplevel"]) : null;
  if (top === null) {
    const bare = (await git.line(["rev-parse", "--is-bare-repository"])) === "true";
    // Not bare and yet not inside: the repository's core.worktree points somewhere else.
    const gitFolder = (await git.line(["rev-parse", "--is-inside-git-dir"])) === "true";
    return bare || gitFolder
      ? { ok: false, reason: "no_work_tree", detail: "a bare repository or a .git folder" }
      : { ok: false, reason: "worktree_mismatch", detail: "core.worktree points away from the context" };
  }
  const realTop = realpathSync(top);
  const subpath = relative(realTop, contextRoot);
  if (subpath === ".." || subpath.startsWith(`..${sep}`)) {
    return { ok: false, reason: "context_outside_repo", detail: "the context is not inside the work tree" };
  }
  return {
    ok: true,
    top: realTop,
    objectFormat: format === "sha256" ? "sha256" : "sha1",
    shallow: shallow === "true",
    subpath,
  };
}

/** `git` runs at the top of the work tree. */
export async function gatherFacts(git: Git, workTree: Extract<WorkTree, { ok: true }>): Promise<GitFacts> {
  const { top, subpath, objectFormat, shallow } = workTree;
  const [commit, head, remotes, dirty, tree] = await Promise.all([
    readCommit(git),
    readHead(git),
    git.run(["config", "-z", "--get-regexp", String.raw`^(remote\..*\.url|branch\..*\.remote)$`]),
    readDirty(git, top, subpath),
    readCommitTree(git, subpath),
  ]);
  const facts = {
    objectFormat,
    shallow,
    commit,
    subpath: subpath === "" ? absent("at_top_level") : known(subpath),
    // git config exits with 1 when nothing matches.
    repo:
      remotes.ok || remotes.code === 1
        ? chooseRepo(remotes.ok ? configPairs(remotes.stdout) : [], head.value)
        : absent(remotes.reason),
    dirty,
    tree,
    ...(await readRef(git, head)),
  } satisfies GitFacts;
  return commit.value !== null && tree.reason === "context_not_tracked" ? unattributed(facts) : facts;
}

async function readCommit(git: Git): Promise<Known<string>> {
  const commit = await git.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (commit.ok) return known(textOf(commit.stdout).trimEnd());
  if (commit.code !== 1) return absent(commit.reason);
  // A HEAD that names an object which is not there is a broken repository and no new branch.
  const named = await git.run(["rev-parse", "--verify", "--quiet", "HEAD"]);
  return absent(!named.ok && named.code === 1 ? "unborn_branch" : commit.reason);
}

/** The full name of the branch. */
async function readHead(git: Git): Promise<Known<string>> {
  const head = await git.run(["symbolic-ref", "--quiet", "HEAD"]);
  if (head.ok) return known(textOf(head.stdout).replace(/\n$/u, ""));
  return absent(head.code === 1 ? "detached_head" : head.reason);
}

/** A folder that the enclosing repository ignores or never added: its commit says nothing about these bytes. */
function unattributed(facts: GitFacts): GitFacts {
  const none = absent("context_not_tracked");
  return {
    ...facts,
    commit: none,
    ref: none,
    refFull: none,
    repo: none,
    subpath: none,
    dirty: none,
    tree: none,
  };
}

async function readRef(git: Git, head: Known<string>): Promise<Pick<GitFacts, "ref" | "refFull">> {
  if (head.value !== null) return { ref: known(head.value.replace(/^refs\/heads\//u, "")), refFull: head };
  if (head.reason !== "detached_head") return { ref: head, refFull: head };
  const tag = await git.run(["describe", "--tags", "--exact-match", "HEAD"]);
  if (tag.ok) {
    const name = textOf(tag.stdout).replace(/\n$/u, "");
    return { ref: known(name), refFull: known(`refs/tags/${name}`) };
  }
  const none = tag.reason === "git_failed" ? head : absent(tag.reason);
  return { ref: none, refFull: none };
}

/** `name LF value NUL` pairs of `git config -z --get-regexp`. Configured URLs, not rewritten by insteadOf. */
function configPairs(output: Uint8Array): [string, string][] {
  return textOf(output)
    .split("\0")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const cut = pair.indexOf("\n");
      return cut === -1 ? [pair, ""] : [pair.slice(0, cut), pair.slice(cut + 1)];
    });
}

/** The remote that the branch tracks, else origin, else the only one; of several URLs the first, which is fetched from. */
function chooseRepo(pairs: readonly [string, string][], head: string | null): Known<string> {
  const urls = new Map<string, string>();
  for (const [name, value] of pairs) {
    const remote = /^remote\.(.*)\.url$/su.exec(name)?.[1];
    if (remote !== undefined && !urls.has(remote)) urls.set(remote, value);
  }
  if (urls.size === 0) return absent("no_remote");
  const branch = head?.replace(/^refs\/heads\//u, "");
  const tracked = pairs.findLast(([name]) => name === `branch.${branch}.remote`)?.[1];
  const only = urls.size === 1 ? [...urls.values()][0] : undefined;
  const url = urls.get(tracked ?? "") ?? urls.get("origin") ?? only;
  if (url === undefined) return absent("ambiguous_remote");
  const normalised = normaliseRemote(url);
  return normalised.repo === null ? absent(normalised.reason) : known(normalised.repo);
}
