import { readCommitObject, type Commit } from "./commit.ts";
import { textOf, type Git } from "./git.ts";
import { absent, known, type Known } from "./known.ts";
import { compareVersions } from "./version-order.ts";

/** What is checked out: all from the point of view of one work tree. */
export type Head = {
  readonly commit: Known<string>;
  readonly object: Commit | null;
  /** The short name: `main` for refs/heads/main also when a tag has that name, an exact tag when HEAD is detached. */
  readonly ref: Known<string>;
  readonly refFull: Known<string>;
  readonly refKind: "branch" | "tag" | null;
  /** Every tag at HEAD, by its short name, in the order of versions. */
  readonly tags: readonly string[];
};

/** `symbolic` is the full name of the branch, or why there is none; `pointing` the refs at HEAD. */
export async function readHead(
  git: Git,
  commit: Promise<HeadCommit>,
  symbolic: Promise<Known<string>>,
  pointing: Promise<RefsAtHead>,
): Promise<Head> {
  const [{ id, object }, refs, { names }] = await Promise.all([
    commit,
    symbolic.then((name) => readRef(git, name)),
    pointing,
  ]);
  return {
    commit: id,
    object,
    ...refs,
    tags: names
      .filter((name) => name.startsWith("refs/tags/"))
      .map((name) => name.slice("refs/tags/".length))
      .sort(compareVersions),
  };
}

/** The full name of the branch. */
export async function readSymbolicHead(git: Git): Promise<Known<string>> {
  const head = await git.run(["symbolic-ref", "--quiet", "HEAD"]);
  if (head.ok) return known(textOf(head.stdout).replace(/\n$/u, ""));
  return absent(head.code === 1 ? "detached_head" : head.reason);
}

export type HeadCommit = { readonly id: Known<string>; readonly object: Commit | null };

/** The commit that HEAD is, and what it says, by one process. */
export async function readHeadCommit(git: Git): Promise<HeadCommit> {
  const answer = await git.run(["cat-file", "--batch"], [], new TextEncoder().encode("HEAD^{commit}\n"));
  const bytes = answer.ok ? Buffer.from(answer.stdout) : Buffer.alloc(0);
  const end = bytes.indexOf("\n") + 1;
  const [, id, size] = /^([0-9a-f]{40,64}) commit (\d+)\n$/u.exec(bytes.toString("latin1", 0, end)) ?? [];
  // What is not there, git calls missing, and does not say why.
  if (id === undefined) return { id: await readCommitId(git), object: null };
  return { id: known(id), object: readCommitObject(bytes.subarray(end, end + Number(size))) };
}

export async function readCommitId(git: Git): Promise<Known<string>> {
  const commit = await git.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (commit.ok) return known(textOf(commit.stdout).trimEnd());
  if (commit.code !== 1) return absent(commit.reason);
  // A HEAD that names an object which is not there is a broken repository and no new branch.
  const named = await git.run(["rev-parse", "--verify", "--quiet", "HEAD"]);
  return absent(!named.ok && named.code === 1 ? "unborn_branch" : commit.reason);
}

/** The full names of the refs at HEAD, none before the first commit, and the branch among them that HEAD is. */
export type RefsAtHead = { readonly names: readonly string[]; readonly branch: string | null };

export async function refsAtHead(git: Git): Promise<RefsAtHead> {
  const places = ["refs/heads", "refs/remotes", "refs/tags"];
  const answer = await git.run(["for-each-ref", "--points-at=HEAD", "--format=%(HEAD)%(refname)", ...places]);
  const lines = answer.ok ? linesOf(answer.stdout) : [];
  const branch = lines.find((line) => line.startsWith("*"))?.slice(1) ?? null;
  return { names: lines.map((line) => line.slice(1)), branch };
}

/** The full name of the branch; only where no branch at HEAD is marked as the current one, git has to say why. */
export async function branchOf(git: Git, pointing: Promise<RefsAtHead>): Promise<Known<string>> {
  const { branch } = await pointing;
  return branch === null ? readSymbolicHead(git) : known(branch);
}

export function linesOf(output: Uint8Array): string[] {
  return textOf(output)
    .split("\n")
    .filter((line) => line !== "");
}

async function readRef(git: Git, head: Known<string>): Promise<Pick<Head, "ref" | "refFull" | "refKind">> {
  if (head.value !== null) {
    return { ref: known(head.value.replace(/^refs\/heads\//u, "")), refFull: head, refKind: "branch" };
  }
  if (head.reason !== "detached_head") return { ref: head, refFull: head, refKind: null };
  const tag = await git.run(["describe", "--tags", "--exact-match", "HEAD"]);
  if (tag.ok) {
    const name = textOf(tag.stdout).replace(/\n$/u, "");
    return { ref: known(name), refFull: known(`refs/tags/${name}`), refKind: "tag" };
  }
  const none = tag.reason === "git_failed" ? head : absent(tag.reason);
  return { ref: none, refFull: none, refKind: null };
}
