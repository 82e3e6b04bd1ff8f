import type { GitFacts } from "../source/git-facts.ts";
import { exactText, bytePathOf, shownText } from "./byte-path.ts";
import type { Capture } from "./capture.ts";

type SubmoduleDocument = {
  readonly path: string;
  readonly path_base64?: string;
  readonly commit: string;
  readonly head: string | null;
  readonly repo: string | null;
};

/** What git observed beyond the coordinates, as it stands in the capture document. */
export function gitDocument(git: GitFacts | null): {
  readonly read_by: "git" | "files";
  readonly object_format: string;
  readonly commit_tree: string | null;
  readonly commit_time: string | null;
  readonly parents: readonly string[];
  readonly signed: boolean | null;
  readonly shallow: boolean;
  readonly partial: boolean;
  readonly linked_worktree: boolean;
  readonly in_progress: { readonly kind: string; readonly branch: string | null } | null;
  readonly submodules: readonly SubmoduleDocument[];
  readonly superproject: {
    readonly repo: string | null;
    readonly commit: string | null;
    readonly path: string;
    readonly wanted: string | null;
  } | null;
  readonly enclosing: {
    readonly repo: string | null;
    readonly commit: string | null;
    readonly ref: string | null;
  } | null;
} | null {
  if (git === null) return null;
  const { object, operation, superproject } = git;
  return {
    read_by: git.readBy,
    object_format: git.objectFormat,
    commit_tree: object?.tree ?? null,
    commit_time: object?.committedAt ?? null,
    parents: object?.parents ?? [],
    signed: object?.signed ?? null,
    shallow: git.shallow,
    partial: git.partial,
    linked_worktree: git.linked,
    in_progress: operation === null ? null : { ...operation },
    submodules: git.submodules.map(({ path, commit, head, repo }) => ({
      ...pathMembers(path),
      commit,
      head,
      repo: repo.value,
    })),
    superproject:
      superproject === null
        ? null
        : {
            repo: superproject.repo.value,
            commit: superproject.commit.value,
            path: superproject.path,
            wanted: superproject.wanted,
          },
    enclosing: git.enclosing === null ? null : { ...git.enclosing },
  };
}

/** A path as text, and as its bytes too where the text is not exact. */
export function pathMembers(path: Uint8Array): { readonly path: string; readonly path_base64?: string } {
  const bytes = bytePathOf(path);
  return exactText(bytes) === null
    ? { path: shownText(bytes), path_base64: Buffer.from(path).toString("base64") }
    : { path: shownText(bytes) };
}

/** The commits of a pull-request build. Mostly three different ones, and only the first is what is here. */
export function pullRequestDocument({ ci, git, gitAbsence, treeEqualsHead }: Capture): {
  readonly number: string | null;
  readonly checked_out: string | null;
  readonly head: string | null;
  readonly base: string | null;
  readonly head_ref: string | null;
  readonly base_ref: string | null;
  readonly head_repo: string | null;
  readonly tree_equals_head: boolean | null;
  readonly tree_equals_head_detail: { readonly reason: string | null };
} | null {
  const claims = ci?.pullRequest ?? null;
  if (claims === null) return null;
  return {
    number: claims.number,
    checked_out: git?.commit.value ?? null,
    head: claims.head,
    base: claims.base,
    head_ref: claims.headRef,
    base_ref: claims.baseRef,
    head_repo: claims.headRepo,
    tree_equals_head: treeEqualsHead?.value ?? null,
    tree_equals_head_detail: { reason: treeEqualsHead?.reason ?? gitAbsence?.reason ?? null },
  };
}
